using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>The primary context of a device, shared with every other user of the device in this process (PyTorch, cuDNN).</summary>
public sealed unsafe class CudaContext : CudaHandle
{
    private CudaContext(CudaDeviceInfo device) : base(parent: null) => Device = device;

    /// <summary>The device.</summary>
    public CudaDeviceInfo Device { get; }

    /// <summary>Opens the primary context of a device.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="CudaException">The driver refuses.</exception>
    public static CudaContext Open(CudaDeviceInfo device)
    {
        var context = new CudaContext(device);
        try
        {
            nint raw = 0;
            RawDriver.cuDevicePrimaryCtxRetain(&raw, device.Handle).Check("cuDevicePrimaryCtxRetain");
            context.SetHandle(raw);
            return context;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>Makes the context the current one of this thread, as most calls of the driver want it.</summary>
    public void Bind() => RawDriver.cuCtxSetCurrent(handle).Check("cuCtxSetCurrent");

    /// <summary>Free and total memory of the device in bytes.</summary>
    public (long Free, long Total) MemoryInfo()
    {
        using var use = Use();
        Bind();
        nuint free = 0, total = 0;
        RawDriver.cuMemGetInfo_v2(&free, &total).Check("cuMemGetInfo_v2");
        return ((long)free, (long)total);
    }

    /// <summary>Runs a release with this context current, and leaves the thread's context as it was.</summary>
    internal CudaStatus While(Func<CudaStatus> release)
    {
        var status = RawDriver.cuCtxPushCurrent_v2(handle);
        if (status != CudaStatus.Success) return status;
        status = release();
        nint popped = 0;
        var pop = RawDriver.cuCtxPopCurrent_v2(&popped);
        return status == CudaStatus.Success ? pop : status;
    }

    private protected override CudaStatus Destroy(nint handle) => RawDriver.cuDevicePrimaryCtxRelease_v2(Device.Handle);
}
