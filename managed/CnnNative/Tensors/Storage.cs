using System.Diagnostics.CodeAnalysis;

namespace CnnNative;

/// <summary>
/// A block of device memory with a reference count. Tensors that share memory share one storage; a running operation
/// counts too, so that neither Dispose on another thread nor the finalizer frees memory under it.
/// </summary>
internal sealed class Storage
{
    private readonly MemoryPool pool;
    private readonly MemoryPool.Block block;
    private int references = 1;

    public Storage(MemoryPool pool, long bytes)
    {
        this.pool = pool;
        block = pool.Take(bytes);
    }

    ~Storage()
    {
        // A constructor that threw leaves no block behind.
        if (block.Address != 0 && references > 0) pool.Return(block, finalized: true);
    }

    public nint Address => block.Address;

    public bool IsShared => Volatile.Read(ref references) > 1;

    /// <summary>Counts one more holder; false when the memory is already gone.</summary>
    public bool TryAddReference()
    {
        var seen = Volatile.Read(ref references);
        while (seen > 0)
        {
            var found = Interlocked.CompareExchange(ref references, seen + 1, seen);
            if (found == seen) return true;
            seen = found;
        }

        return false;
    }

    [SuppressMessage("Usage", "CA1816", Justification = "The last release is this type's Dispose.")]
    public void Release()
    {
        if (Interlocked.Decrement(ref references) != 0) return;
        GC.SuppressFinalize(this);
        pool.Return(block, finalized: false);
    }
}
