namespace CnnNative;

/// <summary>A device could not give the memory asked for, even after its pool gave its cached blocks back.</summary>
public class DeviceOutOfMemoryException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="device">Name of the device.</param>
    /// <param name="requestedBytes">Bytes asked for.</param>
    /// <param name="statistics">State of the pool at that moment.</param>
    /// <param name="holders">What holds the memory, one line per holder, largest first; may be empty.</param>
    public DeviceOutOfMemoryException(string device, long requestedBytes, MemoryStatistics statistics, string holders)
        : base($"{device}: out of memory: {requestedBytes:N0} bytes were asked for while {statistics.LiveBytes:N0} bytes are in use"
               + (holders.Length == 0 ? "" : $"; held by:\n{holders}"))
    {
        RequestedBytes = requestedBytes;
        Statistics = statistics;
    }

    /// <summary>Bytes asked for.</summary>
    public long RequestedBytes { get; }

    /// <summary>State of the pool when the request failed.</summary>
    public MemoryStatistics Statistics { get; }
}
