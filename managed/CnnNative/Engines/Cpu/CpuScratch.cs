using System.Runtime.InteropServices;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Working memory of the kernels, kept for the next operation: in a steady loop nothing is allocated. Any thread may rent.
/// Use with <c>using</c>.
/// </summary>
internal sealed unsafe class CpuScratch : IDisposable
{
    private const int Alignment = 64;
    private const long SmallestBlock = 16 << 10;

    private readonly Lock gate = new();
    private readonly List<(nint Address, long Bytes)> free = [];
    private bool disposed;

    /// <summary>Rents room for so many floats, 64-byte aligned, not set to anything.</summary>
    public Lease Rent(long floats)
    {
        var bytes = Math.Max(SmallestBlock, checked(floats * sizeof(float)));
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (TryTakeSmallest(bytes) is { } found) return new Lease(this, found.Address, found.Bytes);
        }

        // Sizes of one power of two can serve each other.
        var size = (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)bytes);
        return new Lease(this, (nint)NativeMemory.AlignedAlloc((nuint)size, Alignment), size);
    }

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            foreach (var (address, _) in free) NativeMemory.AlignedFree((void*)address);
            free.Clear();
        }
    }

    private (nint Address, long Bytes)? TryTakeSmallest(long bytes)
    {
        var best = -1;
        for (var i = 0; i < free.Count; i++)
        {
            if (free[i].Bytes >= bytes && (best < 0 || free[i].Bytes < free[best].Bytes)) best = i;
        }

        if (best < 0) return null;
        var block = free[best];
        free.RemoveAt(best);
        return block;
    }

    private void Return(nint address, long bytes)
    {
        lock (gate)
        {
            if (disposed) NativeMemory.AlignedFree((void*)address);
            else free.Add((address, bytes));
        }
    }

    /// <summary>Rented room; given back when disposed. A default lease is no room.</summary>
    internal readonly struct Lease(CpuScratch? owner, nint address, long bytes) : IDisposable
    {
        public float* Pointer => (float*)address;

        public static implicit operator float*(Lease lease) => lease.Pointer;

        public void Dispose() => owner?.Return(address, bytes);
    }
}
