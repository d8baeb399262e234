namespace CnnNative;

/// <summary>Where a pool gets its memory: the one thing that differs between devices.</summary>
internal interface IMemoryBackend
{
    /// <summary>Name of the device, for messages.</summary>
    string Name { get; }

    /// <summary>Takes memory from the system; 0 if there is none. At least 64-byte aligned.</summary>
    nint Allocate(long bytes);

    /// <summary>Whether memory can be given back now.</summary>
    bool CanFree => true;

    /// <summary>Gives memory back to the system; only while <see cref="CanFree"/>.</summary>
    void Free(nint address, long bytes);

    /// <summary>Gives back what the system's own pool keeps of the memory that was freed; only while <see cref="CanFree"/>.</summary>
    void Trim()
    {
    }

    /// <summary>What to throw when there is no memory left.</summary>
    /// <param name="requestedBytes">Bytes asked for.</param>
    /// <param name="statistics">State of the pool.</param>
    /// <param name="holders">What holds the memory.</param>
    DeviceOutOfMemoryException OutOfMemory(long requestedBytes, MemoryStatistics statistics, string holders) => new(Name, requestedBytes, statistics, holders);
}
