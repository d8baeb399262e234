using System.Text.Json;
using CnnNative.Cli.Json;
using CnnNative.Cli.Output;
using CnnNative.Interop;

namespace CnnNative.Cli.Bench;

/// <summary>Goes through the workloads and reports each as soon as it is done, so that little is lost when a run is cut off.</summary>
/// <param name="device">The GPU.</param>
/// <param name="peer">Who measures the same in turns; null for nobody.</param>
/// <param name="human">For people.</param>
/// <param name="output">File of the JSON object; null for none.</param>
internal sealed class BenchRun(CudaDevice device, Peer? peer, Human human, string? output)
{
    /// <summary>This program and the peer take turns so often per workload.</summary>
    private const int Rounds = 3;

    private readonly List<TimeJson> times = [];
    private Ceilings? ceilings;
    private string? loss;
    private GpuClocks? clocks;

    /// <summary>Runs the workloads; true if all of them could be done.</summary>
    /// <param name="workloads">The workloads.</param>
    /// <param name="arithmetics">What they compute in.</param>
    /// <param name="check">Only once each, without timing.</param>
    /// <param name="json">Whether to write the JSON object to standard output at the end.</param>
    public bool Run(List<Workload> workloads, IReadOnlyCollection<Arithmetic> arithmetics, bool check, bool json)
    {
        if (peer is not null) human.Line($"peer: {peer.Program}");
        if (!check) Begin(arithmetics);
        foreach (var workload in workloads)
        {
            times.Add(loss is null ? Attempt(workload, check) : new(workload.Name, Error: "not run: the device was lost"));
            Tell(times[^1], check);
            if (output is not null) Save();
        }

        if (loss is not null) human.Line($"the device was lost: {loss}");

        Conclude(check);
        if (json) Results.Write(Report(), ResultContext.Default.BenchJson);
        return times.TrueForAll(time => time.Error is null && time.PeerError is null);
    }

    private void Begin(IReadOnlyCollection<Arithmetic> arithmetics)
    {
        ceilings = Ceilings.Measure(device, arithmetics);
        clocks = GpuClocks.Open(device.Info);
        var products = ceilings.OperationsPerSecond.Select(one => $", {one.Key.Name} product {one.Value / 1e12:F1} TFLOP/s");
        human.Line($"{device.Info.Name}: copy {ceilings.BytesPerSecond / 1e12:F2} TB/s{string.Concat(products)}");
        human.Line($"{"workload",-48} {"microseconds",12} {"floor",10} {"share",8} {"peer",10} {"speedup",8} {"MHz",6}");
    }

    /// <summary>A workload that fails is reported, and the next one has its turn; a GPU is not always at hand.</summary>
    private TimeJson Attempt(Workload workload, bool check)
    {
        try
        {
            return check ? Check(workload) : Time(workload);
        }
        catch (Exception error) when (error is NotSupportedException or ArithmeticException or DeviceOutOfMemoryException or CudaException)
        {
            loss = Loss();
            return new(workload.Name, Error: Failure.Describe(error));
        }
    }

    /// <summary>A kernel that fails takes the whole context with it, and every later call says so; a launch that is refused harms nothing.</summary>
    private string? Loss()
    {
        try
        {
            device.Synchronize();
            return null;
        }
        catch (CudaException error)
        {
            return Failure.Describe(error);
        }
    }

    private TimeJson Check(Workload workload)
    {
        Measurement.Check(device, workload);
        return new(workload.Name, PeerError: peer?.Ask(workload.Name, check: true).Error);
    }

    private TimeJson Time(Workload workload)
    {
        using var measurement = new Measurement(device, workload, clocks);
        var answers = new List<PeerAnswer>();
        for (var round = 0; round < Rounds; round++)
        {
            measurement.Sample();
            if (peer is not null && answers.TrueForAll(answer => answer.Error is null)) answers.Add(peer.Ask(workload.Name));
        }

        var (seconds, floor) = (measurement.MedianSeconds, ceilings!.Floor(workload));
        var error = answers.Find(answer => answer.Error is not null)?.Error;
        double? other = error is null && answers.Count > 0 ? Measurement.Median([.. answers.Select(answer => answer.Microseconds!.Value)]) : null;
        return new(workload.Name, seconds * 1e6, floor * 1e6, floor / seconds, other, other / (seconds * 1e6), measurement.MedianMegahertz, PeerError: error);
    }

    private void Tell(TimeJson time, bool check)
    {
        if (time.Error is not null) human.Line($"{time.Name}: {time.Error}");
        if (time.PeerError is not null) human.Line($"{time.Name}: peer: {time.PeerError}");
        if (check || time.Error is not null) return;
        human.Line(FormattableString.Invariant(
            $"{time.Name,-48} {time.Microseconds,12:F1} {time.FloorMicroseconds,10:F1} {time.ShareOfFloor,8:P0} {time.PeerMicroseconds,10:F1} {time.Speedup,8:F2} {time.Megahertz,6:F0}"));
    }

    private void Conclude(bool check)
    {
        var done = times.Count(time => time.Error is null);
        if (check) human.Line($"{done} of {times.Count} workloads ran on {device.Info.Name} with finite results");
        else if (peer is not null) human.Line($"faster than the peer: {times.Count(time => time.Speedup >= 1)} of {times.Count(time => time.Speedup is not null)} workloads");
    }

    private BenchJson Report() => new(
        device.Info.Name, LibraryVersion.Text(CudaDriver.Version), ceilings?.BytesPerSecond,
        ceilings?.OperationsPerSecond.ToDictionary(one => one.Key.Name, one => one.Value), peer?.Program, times);

    private void Save()
    {
        var temporary = output + ".tmp";
        File.WriteAllText(temporary, JsonSerializer.Serialize(Report(), ResultContext.Default.BenchJson));
        File.Move(temporary, output!, overwrite: true);
    }
}
