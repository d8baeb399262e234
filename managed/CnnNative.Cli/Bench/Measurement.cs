namespace CnnNative.Cli.Bench;

/// <summary>Times work on a GPU: as a replayed graph, over rotating random inputs that do not fit the cache, outputs poisoned and looked at.</summary>
internal static class Measurement
{
    private const int Samples = 9, FewestSets = 2, MostSets = 32;

    /// <summary>Rotating inputs fill the level-2 cache this many times over.</summary>
    private const int CacheTimes = 3;

    private static readonly TimeSpan Sample = TimeSpan.FromMilliseconds(20);

    /// <summary>Seconds for doing a workload once: the median of several samples.</summary>
    /// <exception cref="ArithmeticException">A result is not finite: then a time would mean nothing.</exception>
    public static double Seconds(CudaDevice device, Workload workload)
    {
        var sets = (int)Math.Clamp(CacheTimes * device.Info.L2Bytes / workload.Bytes, FewestSets, MostSets);
        var runs = new List<WorkloadRun>();
        try
        {
            for (var i = 0; i < sets; i++) runs.Add(workload.Prepare(device));
            foreach (var run in runs) run.Poison();
            return Seconds(device, workload, runs);
        }
        finally
        {
            foreach (var run in runs) run.Dispose();
            device.Memory.Trim();
        }
    }

    /// <summary>Does a workload once and looks at the result.</summary>
    public static void Check(Device device, Workload workload)
    {
        using var run = workload.Prepare(device);
        run.Poison();
        run.Once();
        RequireFinite(workload, run);
    }

    private static double Seconds(CudaDevice device, Workload workload, List<WorkloadRun> runs)
    {
        using var step = device.Capture(() =>
        {
            foreach (var run in runs) run.Once();
        });
        foreach (var run in runs) RequireFinite(workload, run);
        var once = device.Time(step.Replay);
        var replays = (int)Math.Clamp(Sample / once, 1, 1000);
        var seconds = new double[Samples];
        for (var sample = 0; sample < Samples; sample++)
        {
            seconds[sample] = device.Time(() =>
            {
                for (var i = 0; i < replays; i++) step.Replay();
            }).TotalSeconds / replays / runs.Count;
        }

        Array.Sort(seconds);
        return seconds[Samples / 2];
    }

    private static void RequireFinite(Workload workload, WorkloadRun run)
    {
        using var sum = Tensor.Empty([1], device: run.Result.Device);
        run.Result.Device.Engine.Elementwise.Sum(run.Result, sum);
        if (!float.IsFinite(sum.Item())) throw new ArithmeticException($"{workload.Name}: the result is not finite ({sum.Item()})");
    }
}
