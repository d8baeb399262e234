using CnnNative.Engines;
using CnnNative.Engines.Cpu;

namespace CnnNative;

/// <summary>The processor of the host, with its own thread pool.</summary>
public sealed unsafe class CpuDevice : Device
{
    private readonly CpuEngine engine;

    /// <summary>Creates a device with a thread pool of its own.</summary>
    /// <param name="threads">Threads that compute, the calling one included; 0 means one per core.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is negative.</exception>
    public CpuDevice(int threads = 0) : this(threads, shared: false)
    {
    }

    private CpuDevice(int threads, bool shared) : base("cpu", new HostMemory())
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        engine = new CpuEngine(threads == 0 ? Environment.ProcessorCount : threads);
        IsShared = shared;
    }

    /// <summary>The processor with one thread per core; what <see cref="Device.Default"/> gives where there is no usable GPU.</summary>
    public static CpuDevice Shared { get; } = new(0, shared: true);

    /// <inheritdoc/>
    public override Engine Engine => engine;

    /// <summary>Threads that compute, the calling one included.</summary>
    public int Threads => engine.Threads;

    internal override void Write(Storage target, long byteOffset, ReadOnlySpan<byte> source)
    {
        fixed (byte* from = source)
            Buffer.MemoryCopy(from, (byte*)target.Address + byteOffset, source.Length, source.Length);
    }

    internal override void Read(Storage source, long byteOffset, Span<byte> target)
    {
        fixed (byte* to = target)
            Buffer.MemoryCopy((byte*)source.Address + byteOffset, to, target.Length, target.Length);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (!IsShared) engine.Dispose();
    }
}
