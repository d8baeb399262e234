namespace CnnNative;

/// <summary>The state of a device's memory pool.</summary>
/// <param name="LiveBytes">Bytes in blocks that tensors hold now.</param>
/// <param name="LiveBlocks">Number of those blocks.</param>
/// <param name="CachedBytes">Bytes in free blocks that the pool keeps for reuse.</param>
/// <param name="PeakLiveBytes">Largest <paramref name="LiveBytes"/> so far, or since <see cref="MemoryPool.ResetPeak"/>.</param>
/// <param name="BackendAllocations">How often memory was asked of the system; a steady training loop asks no more.</param>
/// <param name="FinalizedBlocks">Blocks that came back only because the garbage collector found their tensor forgotten.</param>
public readonly record struct MemoryStatistics(
    long LiveBytes, long LiveBlocks, long CachedBytes, long PeakLiveBytes, long BackendAllocations, long FinalizedBlocks);
