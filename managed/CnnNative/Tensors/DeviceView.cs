using CnnNative.Interop;

namespace CnnNative;

/// <summary>
/// A tensor's elements as a device address, for the length of one operation: the counted reference keeps the memory from
/// being given to others before the operation's launches are in the stream. Use with <c>using</c>.
/// </summary>
internal readonly ref struct DeviceView(Storage? storage, long byteOffset)
{
    /// <summary>The address of the first element; null for a tensor that is not there.</summary>
    public DevicePointer Pointer => storage is null ? DevicePointer.Null : new((ulong)storage.Address + (ulong)byteOffset);

    public static implicit operator DevicePointer(DeviceView view) => view.Pointer;

    public void Dispose() => storage?.Release();
}

/// <summary>Holding of tensors for operations on a device.</summary>
internal static class DeviceViews
{
    /// <summary>The elements of a tensor on its device; the null pointer for no tensor.</summary>
    /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
    public static DeviceView OnDevice(this Tensor? tensor) => tensor is null ? default : tensor.HoldOnDevice();
}
