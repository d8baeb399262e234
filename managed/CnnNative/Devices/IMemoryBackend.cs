namespace CnnNative;

/// <summary>Where a pool gets its memory: the one thing that differs between devices.</summary>
internal interface IMemoryBackend
{
    /// <summary>Name of the device, for messages.</summary>
    string Name { get; }

    /// <summary>Takes memory from the system; 0 if there is none. At least 64-byte aligned.</summary>
    nint Allocate(long bytes);

    /// <summary>Gives memory back to the system.</summary>
    void Free(nint address, long bytes);

    /// <summary>What to throw when there is no memory left.</summary>
    /// <param name="requestedBytes">Bytes asked for.</param>
    /// <param name="statistics">State of the pool.</param>
    /// <param name="holders">What holds the memory.</param>
    DeviceOutOfMemoryException OutOfMemory(long requestedBytes, MemoryStatistics statistics, string holders) => new(Name, requestedBytes, statistics, holders);
}
