using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>Host memory that the device copies from and to without the processor. Freed only when no copy is left that could use it.</summary>
public sealed unsafe class PinnedMemory : CudaObject
{
    private PinnedMemory(CudaContext context, long bytes) : base(context) => Bytes = bytes;

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Allocates pinned memory.</summary>
    /// <param name="context">Where.</param>
    /// <param name="bytes">How much; at least 1.</param>
    /// <exception cref="CudaOutOfMemoryException">There is not enough.</exception>
    public static PinnedMemory Allocate(CudaContext context, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        return Make(new PinnedMemory(context, bytes), "cuMemHostAlloc", static memory =>
        {
            void* raw = null;
            return (RawDriver.cuMemHostAlloc(&raw, (nuint)memory.Bytes, 0), (nint)raw);
        });
    }

    /// <summary>A part of the memory. The caller holds this object while the span is in use.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="bytes">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the memory.</exception>
    public Span<byte> Span(long offset, int bytes)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        return new(At(offset, bytes), bytes);
    }

    internal void* At(long offset, long bytes)
    {
        if (offset < 0 || bytes < 0 || offset > Bytes - bytes)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"PinnedMemory: {bytes} bytes from byte {offset} of {Bytes}");
        return (byte*)Raw + offset;
    }

    private protected override string Describe() => $"{Bytes:N0} bytes of pinned memory";

    private protected override CudaStatus Free(nint handle) => RawDriver.cuMemFreeHost((void*)handle);
}
