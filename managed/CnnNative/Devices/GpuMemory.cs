using System.Collections.Concurrent;
using CnnNative.Interop;

namespace CnnNative;

/// <summary>
/// Device memory for the pool, from the driver's pool and in the order of the device's stream, so that giving it back
/// never waits for the device. While a step is captured, new blocks come from outside the stream: a capture would
/// record the allocation instead of making it.
/// </summary>
internal sealed class GpuMemory(string name, CudaStream stream, CudaMemoryPool? pool) : IMemoryBackend
{
    private readonly ConcurrentDictionary<nint, DeviceMemory> blocks = new();

    public string Name => name;

    /// <summary>Whether the stream is being captured.</summary>
    public bool IsCapturing { get; set; }

    /// <summary>Not while the stream is captured: what goes back in its order cannot go back then.</summary>
    public bool CanFree => !IsCapturing;

    public nint Allocate(long bytes)
    {
        try
        {
            var memory = pool is null || IsCapturing ? DeviceMemory.Allocate(stream.Context, bytes) : DeviceMemory.Allocate(pool, stream, bytes);
            var address = (nint)memory.Pointer.Address;
            blocks[address] = memory;
            return address;
        }
        catch (CudaOutOfMemoryException)
        {
            return 0;
        }
    }

    public void Free(nint address, long bytes)
    {
        if (blocks.TryRemove(address, out var memory)) memory.Dispose();
    }

    /// <summary>What was freed in the order of the stream is the driver's to give only when the stream has got there.</summary>
    public void Trim()
    {
        if (pool is null) return;
        stream.Synchronize();
        pool.Trim();
    }

    public DeviceOutOfMemoryException OutOfMemory(long requestedBytes, MemoryStatistics statistics, string holders)
    {
        var (free, total) = stream.Context.MemoryInfo();
        return new GpuOutOfMemoryException(name, requestedBytes, statistics, holders, free, total);
    }
}
