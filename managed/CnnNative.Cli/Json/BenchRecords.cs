using System.Text.Json.Serialization;

namespace CnnNative.Cli.Json;

/// <summary>What <c>cnn bench --json</c> reports; the ceilings were measured in the same run, and are null where nothing was timed.</summary>
internal sealed record BenchJson(
    string Device, string CudaVersion, double? CopyBytesPerSecond, IReadOnlyDictionary<string, double>? ProductOperationsPerSecond, string? Peer,
    IReadOnlyList<TimeJson> Workloads);

/// <summary>
/// One workload: its time, the least time that the ceilings allow, and their ratio; the peer's time, and how many times faster this
/// program is; the clock of the multiprocessors. Null where nothing was timed, or where an error tells why.
/// </summary>
internal sealed record TimeJson(
    string Name, double? Microseconds = null, double? FloorMicroseconds = null, double? ShareOfFloor = null, double? PeerMicroseconds = null, double? Speedup = null,
    double? Megahertz = null, string? Error = null, string? PeerError = null);

/// <summary>What <c>cnn bench --count --json</c> reports.</summary>
internal sealed record CountsJson(string Chip, IReadOnlyList<CountJson> Workloads);

/// <summary>One workload: its launches, how long parts of the chip are busy in parts of the floor, and the part that is busy longest.</summary>
internal sealed record CountJson(string Name, ulong Launches, double L2, double L1, double Issue, double Arithmetic, string Bound, double Busy);

/// <summary>First line of a peer.</summary>
internal sealed record PeerHello(string? Program);

/// <summary>What a peer is asked.</summary>
internal sealed record PeerRequest(string Name, bool Check);

/// <summary>What it answers.</summary>
internal sealed record PeerAnswer(double? Microseconds, string? Error);

/// <summary>Reader and writer of what goes between this program and a peer, made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PeerHello))]
[JsonSerializable(typeof(PeerRequest))]
[JsonSerializable(typeof(PeerAnswer))]
internal sealed partial class PeerContext : JsonSerializerContext;
