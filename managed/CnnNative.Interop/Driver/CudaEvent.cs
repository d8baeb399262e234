using CnnNative.Interop.Raw;
using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>A mark in a stream that others can wait for, and that can tell the time between two.</summary>
public sealed unsafe class CudaEvent : CudaObject
{
    private CudaEvent(CudaContext context) : base(context)
    {
    }

    /// <summary>Creates an event.</summary>
    /// <param name="context">Where.</param>
    /// <param name="timing">Whether it tells the time; without, it is cheaper.</param>
    /// <exception cref="CudaException">The driver refuses.</exception>
    public static CudaEvent Create(CudaContext context, bool timing = false) => Make(new CudaEvent(context), "cuEventCreate", _ =>
    {
        nint raw = 0;
        return (RawDriver.cuEventCreate(&raw, timing ? Flags.EventDefault : Flags.EventDisableTiming), raw);
    });

    /// <summary>Whether the work before the mark is done.</summary>
    public bool IsDone
    {
        get
        {
            using var use = Use();
            Context.Bind();
            var status = RawDriver.cuEventQuery(Raw);
            if (status == CudaStatus.NotReady) return false;
            status.Check("cuEventQuery");
            return true;
        }
    }

    /// <summary>Puts the mark at the present end of a stream.</summary>
    /// <param name="stream">The stream.</param>
    public void Record(CudaStream stream)
    {
        using var bound = stream.Bound();
        using var use = Use();
        RawDriver.cuEventRecord(Raw, stream.Raw).Check("cuEventRecord");
    }

    /// <summary>Waits until the work before the mark is done.</summary>
    public void Synchronize()
    {
        using var use = Use();
        Context.Bind();
        RawDriver.cuEventSynchronize(Raw).Check("cuEventSynchronize");
    }

    /// <summary>Milliseconds from an earlier mark to this one; both made with timing and done.</summary>
    /// <param name="start">The earlier mark.</param>
    public float MillisecondsSince(CudaEvent start)
    {
        using var use = Use();
        using var first = start.Use();
        Context.Bind();
        var milliseconds = 0f;
        RawDriver.cuEventElapsedTime(&milliseconds, start.Raw, Raw).Check("cuEventElapsedTime");
        return milliseconds;
    }

    private protected override CudaStatus Free(nint handle) => RawDriver.cuEventDestroy_v2(handle);
}
