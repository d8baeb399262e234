using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Interop;

namespace CnnNative;

/// <summary>
/// A device of the CUDA driver with the native engine: a GPU, or the emulated one. All work runs in one stream; memory goes
/// back to the pool in the order of that stream, so that nothing waits for the device but reading results.
/// </summary>
public sealed class CudaDevice : Device
{
    private readonly CudaContext context;
    private readonly CudaStream stream;
    private readonly CudaMemoryPool? pool;
    private readonly GpuMemory memory;
    private readonly Staging staging;
    private readonly NativeEngine engine;

    private CudaDevice(CudaContext context, CudaStream stream, CudaMemoryPool? pool, GpuMemory memory) : base(memory.Name, memory)
    {
        this.context = context;
        this.stream = stream;
        this.pool = pool;
        this.memory = memory;
        staging = new Staging(stream);
        engine = new NativeEngine(new NativeContext(this, stream));
    }

    /// <summary>What the device is and what it has.</summary>
    public CudaDeviceInfo Info => context.Device;

    /// <summary>Whether this is no GPU but the emulated driver: then times say nothing of speed.</summary>
    public static bool IsEmulated => CudaDriver.IsEmulated;

    /// <inheritdoc/>
    public override Engine Engine => engine;

    /// <summary>
    /// Whether convolutions and matrix products of float32 may run on matrix units, which round their operands to tf32 (a
    /// mantissa of 10 bits; sums stay float32). False unless it is asked for: float32 means float32. Convolutions take part in NHWC.
    /// </summary>
    public bool AllowTf32 { get; set; }

    /// <inheritdoc/>
    public override bool CanCapture => true;

    /// <summary>What is being recorded now; null otherwise.</summary>
    internal StepRecorder? Recorder { get; private set; }

    /// <summary>Opens a device.</summary>
    /// <param name="ordinal">Its number, from 0.</param>
    /// <exception cref="LibraryNotFoundException">There is no CUDA driver.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such device.</exception>
    /// <exception cref="CudaException">The driver refuses.</exception>
    public static CudaDevice Open(int ordinal = 0)
    {
        var info = CudaDriver.Device(ordinal);
        var context = CudaContext.Open(info);
        CudaStream? stream = null;
        CudaMemoryPool? pool = null;
        try
        {
            stream = CudaStream.Create(context);
            if (info.SupportsMemoryPools) pool = CudaMemoryPool.Create(context);
            return new CudaDevice(context, stream, pool, new GpuMemory($"cuda:{ordinal}", stream, pool));
        }
        catch
        {
            pool?.Dispose();
            stream?.Dispose();
            context.Dispose();
            throw;
        }
    }

    /// <summary>Waits until all work is done.</summary>
    /// <exception cref="CudaException">A kernel failed.</exception>
    public void Synchronize() => stream.Synchronize();

    /// <summary>How long the device takes for work, from the first kernel to the last.</summary>
    /// <param name="work">Puts the work into the device's stream.</param>
    public TimeSpan Time(Action work)
    {
        using var start = CudaEvent.Create(context, timing: true);
        using var end = CudaEvent.Create(context, timing: true);
        start.Record(stream);
        work();
        end.Record(stream);
        end.Synchronize();
        return TimeSpan.FromMilliseconds(end.MillisecondsSince(start));
    }

    /// <inheritdoc/>
    public override CapturedStep Capture(Action step)
    {
        if (Recorder is not null) throw new InvalidOperationException("Capture: a step is being captured already");
        // Everything that is made only once (modules, the optimizer's state) exists after the first run.
        using (Step()) step();
        var recorder = new StepRecorder(this);
        try
        {
            using var graph = Record(recorder, step);
            return new CapturedStep(recorder, graph.Instantiate(stream), stream);
        }
        catch
        {
            recorder.Dispose();
            throw;
        }
    }

    /// <summary>Lets the step run with the stream in recording. However that ends, the stream runs its work again afterwards.</summary>
    private CudaGraph Record(StepRecorder recorder, Action step)
    {
        stream.BeginCapture();
        (Recorder, memory.IsCapturing) = (recorder, true);
        recorder.Begin();
        try
        {
            using (Step()) step();
            return stream.EndCapture();
        }
        catch
        {
            stream.AbandonCapture();
            throw;
        }
        finally
        {
            (Recorder, memory.IsCapturing) = (null, false);
            recorder.End();
        }
    }

    internal override void Write(Storage target, long byteOffset, ReadOnlySpan<byte> source)
    {
        if (memory.IsCapturing) throw new InvalidOperationException("CopyFrom: host data cannot be part of a captured step; copy it before the replay");
        staging.Write(new DevicePointer((ulong)target.Address).Plus(byteOffset), source);
    }

    internal override void Read(Storage source, long byteOffset, Span<byte> target)
    {
        if (memory.IsCapturing) throw new InvalidOperationException("CopyTo: results cannot be read inside a captured step; read them after the replay");
        staging.Read(new DevicePointer((ulong)source.Address).Plus(byteOffset), target);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (IsShared) return;
        engine.Dispose();
        staging.Dispose();
        pool?.Dispose();
        stream.Dispose();
        context.Dispose();
    }
}
