using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>A tensor's elements on the device and their order.</summary>
internal readonly record struct Placed(DevicePointer Pointer, Layout Layout)
{
    /// <summary>Whether 16-byte accesses may start here.</summary>
    public bool IsAligned => Alignment.Is16(Pointer);
}
