namespace CnnNative.Interop;

/// <summary>
/// An address in device memory, as a kernel takes it. It cannot be dereferenced, and it says nothing about how long the
/// memory lives: whoever hands it to a launch holds the memory until then.
/// </summary>
public readonly record struct DevicePointer
{
    private readonly ulong address;

    internal DevicePointer(ulong address) => this.address = address;

    /// <summary>No memory.</summary>
    public static DevicePointer Null => default;

    /// <summary>Whether this points nowhere.</summary>
    public bool IsNull => address == 0;

    internal ulong Address => address;

    /// <summary>The address that is some bytes further.</summary>
    /// <param name="bytes">Distance.</param>
    public DevicePointer Plus(long bytes) => new(address + (ulong)bytes);

    /// <inheritdoc/>
    public override string ToString() => $"0x{address:x}";
}
