using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>A block of device memory.</summary>
public sealed unsafe class DeviceMemory : CudaObject
{
    private readonly CudaStream? stream;
    private readonly CudaMemoryPool? pool;

    private DeviceMemory(CudaContext context, long bytes, CudaMemoryPool? pool, CudaStream? stream) : base(context)
    {
        Bytes = bytes;
        this.stream = Held(stream);
        this.pool = Held(pool);
    }

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Its address; the caller holds this object while the device may use it.</summary>
    public DevicePointer Pointer => new((ulong)Raw);

    /// <summary>Allocates a block that is freed after all work of the device.</summary>
    /// <param name="context">Where.</param>
    /// <param name="bytes">How much; at least 1.</param>
    /// <exception cref="CudaOutOfMemoryException">There is not enough.</exception>
    public static DeviceMemory Allocate(CudaContext context, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        return Make(new DeviceMemory(context, bytes, null, null), "cuMemAlloc_v2", static memory =>
        {
            ulong address = 0;
            return (RawDriver.cuMemAlloc_v2(&address, (nuint)memory.Bytes), (nint)address);
        });
    }

    /// <summary>Takes a block from a pool for work that follows in a stream; it goes back after the work that is then in the stream.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="stream">A stream of the pool's context.</param>
    /// <param name="bytes">How much; at least 1.</param>
    /// <exception cref="CudaOutOfMemoryException">There is not enough.</exception>
    public static DeviceMemory Allocate(CudaMemoryPool pool, CudaStream stream, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        return Make(new DeviceMemory(stream.Context, bytes, pool, stream), "cuMemAllocFromPoolAsync", static memory =>
        {
            ulong address = 0;
            return (RawDriver.cuMemAllocFromPoolAsync(&address, (nuint)memory.Bytes, memory.pool!.Raw, memory.stream!.Raw), (nint)address);
        });
    }

    private protected override string Describe() => $"{Bytes:N0} bytes of device memory";

    private protected override CudaStatus Free(nint handle) =>
        stream is null ? RawDriver.cuMemFree_v2((ulong)handle) : RawDriver.cuMemFreeAsync((ulong)handle, stream.Raw);

    private protected override void Released()
    {
        stream?.DangerousRelease();
        pool?.DangerousRelease();
    }
}
