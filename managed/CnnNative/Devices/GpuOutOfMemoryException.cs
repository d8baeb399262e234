namespace CnnNative;

/// <summary>A GPU has not enough memory, even after the pool gave its cached blocks back.</summary>
public sealed class GpuOutOfMemoryException : DeviceOutOfMemoryException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="device">Name of the device.</param>
    /// <param name="requestedBytes">Bytes asked for.</param>
    /// <param name="statistics">State of the pool at that moment.</param>
    /// <param name="holders">What holds the memory, one line per holder, largest first; may be empty.</param>
    /// <param name="freeBytes">Free on the whole device.</param>
    /// <param name="totalBytes">Memory of the device.</param>
    public GpuOutOfMemoryException(string device, long requestedBytes, MemoryStatistics statistics, string holders, long freeBytes, long totalBytes)
        : base($"{device} ({freeBytes:N0} of {totalBytes:N0} bytes free)", requestedBytes, statistics, holders)
    {
        FreeBytes = freeBytes;
        TotalBytes = totalBytes;
    }

    /// <summary>Free on the whole device, other programs counted.</summary>
    public long FreeBytes { get; }

    /// <summary>Memory of the device.</summary>
    public long TotalBytes { get; }
}
