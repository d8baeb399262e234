namespace CnnNative.Interop;

/// <summary>A tensor in device memory, as a <see cref="TensorMap"/> describes it.</summary>
/// <param name="address">Its first element; a multiple of 16 bytes.</param>
/// <param name="type">Its elements.</param>
/// <param name="sizes">Elements along each dimension, the innermost first.</param>
/// <param name="strides">Bytes from one to the next along each dimension but the innermost; multiples of 16.</param>
/// <param name="steps">Along each dimension, every how many elements one is taken; empty for all of them.</param>
public readonly ref struct TensorMapSource(
    DevicePointer address, TensorMapType type, ReadOnlySpan<ulong> sizes, ReadOnlySpan<ulong> strides, ReadOnlySpan<int> steps = default)
{
    /// <summary>Its first element.</summary>
    public DevicePointer Address { get; } = address;

    /// <summary>Its elements.</summary>
    public TensorMapType Type { get; } = type;

    /// <summary>Elements along each dimension, the innermost first.</summary>
    public ReadOnlySpan<ulong> Sizes { get; } = sizes;

    /// <summary>Bytes from one to the next along each dimension but the innermost.</summary>
    public ReadOnlySpan<ulong> Strides { get; } = strides;

    /// <summary>Every how many elements one is taken; empty for all.</summary>
    public ReadOnlySpan<int> Steps { get; } = steps;
}
