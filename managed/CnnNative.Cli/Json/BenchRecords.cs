namespace CnnNative.Cli.Json;

/// <summary>What <c>cnn bench --json</c> reports; the ceilings were measured in the same run, and are null where nothing was timed.</summary>
internal sealed record BenchJson(string Device, string CudaVersion, double? CopyBytesPerSecond, double? ProductOperationsPerSecond, IReadOnlyList<TimeJson> Workloads);

/// <summary>One workload: its time, the least time that the ceilings allow, and their ratio; null where nothing was timed.</summary>
internal sealed record TimeJson(string Name, double? Microseconds, double? Floor, double? Share);
