using CnnNative.Interop.Raw;
using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>A queue of work on a device: what is put in runs in order.</summary>
public sealed unsafe class CudaStream : CudaObject
{
    private CudaStream(CudaContext context) : base(context)
    {
    }

    /// <summary>Creates a stream that does not wait for the legacy default stream.</summary>
    /// <param name="context">Where.</param>
    /// <exception cref="CudaException">The driver refuses.</exception>
    public static CudaStream Create(CudaContext context) => Make(new CudaStream(context), "cuStreamCreate", static _ =>
    {
        nint raw = 0;
        return (RawDriver.cuStreamCreate(&raw, Flags.StreamNonBlocking), raw);
    });

    /// <summary>Waits until all work in the stream is done.</summary>
    /// <exception cref="CudaException">A kernel failed, or the driver.</exception>
    public void Synchronize()
    {
        using var use = Bound();
        RawDriver.cuStreamSynchronize(Raw).Check("cuStreamSynchronize");
    }

    /// <summary>Lets the work that follows in this stream wait for an event of another one.</summary>
    /// <param name="cudaEvent">The event, recorded before.</param>
    public void Wait(CudaEvent cudaEvent)
    {
        using var use = Bound();
        using var other = cudaEvent.Use();
        RawDriver.cuStreamWaitEvent(Raw, cudaEvent.Raw, 0).Check("cuStreamWaitEvent");
    }

    /// <summary>Copies from pinned host memory to the device, in the order of the stream.</summary>
    /// <param name="target">Device memory.</param>
    /// <param name="source">Pinned memory, not changed until the copy has run.</param>
    /// <param name="offset">First byte of the source.</param>
    /// <param name="bytes">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the source.</exception>
    public void CopyToDevice(DevicePointer target, PinnedMemory source, long offset, long bytes)
    {
        using var use = Bound();
        using var host = source.Use();
        RawDriver.cuMemcpyHtoDAsync_v2(target.Address, source.At(offset, bytes), (nuint)bytes, Raw).Check("cuMemcpyHtoDAsync_v2");
    }

    /// <summary>Copies from the device to pinned host memory, in the order of the stream.</summary>
    /// <param name="target">Pinned memory, not read until the copy has run.</param>
    /// <param name="offset">First byte of the target.</param>
    /// <param name="source">Device memory.</param>
    /// <param name="bytes">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the target.</exception>
    public void CopyToHost(PinnedMemory target, long offset, DevicePointer source, long bytes)
    {
        using var use = Bound();
        using var host = target.Use();
        RawDriver.cuMemcpyDtoHAsync_v2(target.At(offset, bytes), source.Address, (nuint)bytes, Raw).Check("cuMemcpyDtoHAsync_v2");
    }

    /// <summary>Copies within the device, in the order of the stream.</summary>
    /// <param name="target">Device memory.</param>
    /// <param name="source">Device memory that does not overlap the target.</param>
    /// <param name="bytes">How many.</param>
    public void Copy(DevicePointer target, DevicePointer source, long bytes)
    {
        using var use = Bound();
        RawDriver.cuMemcpyDtoDAsync_v2(target.Address, source.Address, (nuint)bytes, Raw).Check("cuMemcpyDtoDAsync_v2");
    }

    /// <summary>Sets bytes of device memory, in the order of the stream.</summary>
    /// <param name="target">Device memory.</param>
    /// <param name="value">The byte.</param>
    /// <param name="bytes">How many.</param>
    public void Fill(DevicePointer target, byte value, long bytes)
    {
        using var use = Bound();
        RawDriver.cuMemsetD8Async(target.Address, value, (nuint)bytes, Raw).Check("cuMemsetD8Async");
    }

    /// <summary>Starts recording what is put into the stream instead of running it.</summary>
    public void BeginCapture()
    {
        using var use = Bound();
        RawDriver.cuStreamBeginCapture_v2(Raw, Flags.CaptureRelaxed).Check("cuStreamBeginCapture_v2");
    }

    /// <summary>Ends the recording.</summary>
    /// <returns>What was recorded.</returns>
    /// <exception cref="CudaException">Something that cannot be recorded was put into the stream.</exception>
    public CudaGraph EndCapture() => CudaGraph.EndCapture(this);

    /// <summary>Ends a recording that failed and drops what was recorded; nothing where the driver has ended it already. Never throws: the caller has an error to tell.</summary>
    internal void AbandonCapture() => Context.While(() =>
    {
        nint graph = 0;
        var status = RawDriver.cuStreamEndCapture(Raw, &graph);
        return status == CudaStatus.Success && graph != 0 ? RawDriver.cuGraphDestroy(graph) : status;
    });

    /// <summary>Holds the stream and makes its context current.</summary>
    internal Usage Bound()
    {
        var use = Use();
        var status = RawDriver.cuCtxSetCurrent(Context.Raw);
        if (status == CudaStatus.Success) return use;
        use.Dispose();
        Status.Throw("cuCtxSetCurrent", status, "");
        return default;
    }

    private protected override CudaStatus Free(nint handle) => RawDriver.cuStreamDestroy_v2(handle);
}
