using CnnNative.Interop;

namespace CnnNative.Cli.Bench;

/// <summary>Times work on a GPU: as a replayed graph, over rotating random inputs that do not fit the cache, outputs poisoned and looked at.</summary>
internal sealed class Measurement : IDisposable
{
    private const int SamplesPerRound = 5, FewestSets = 2;

    /// <summary>A graph of more is slow to make; it fills the cache from 18 KB on, with 50 MB of it.</summary>
    private const int MostSets = 8192;

    /// <summary>Rotating inputs fill the level-2 cache this many times over.</summary>
    private const int CacheTimes = 3;

    private static readonly TimeSpan SampleTime = TimeSpan.FromMilliseconds(15);

    private readonly CudaDevice device;
    private readonly List<WorkloadRun> runs = [];
    private readonly List<double> samples = [], megahertz = [];
    private readonly GpuClocks? clocks;
    private readonly CapturedStep step;
    private readonly int replays;

    /// <summary>Sets the work up and does it twice.</summary>
    /// <param name="device">Where.</param>
    /// <param name="workload">The work.</param>
    /// <param name="clocks">The clocks of the device, if they can be read.</param>
    /// <exception cref="ArithmeticException">A result is not finite: then a time would mean nothing.</exception>
    public Measurement(CudaDevice device, Workload workload, GpuClocks? clocks = null)
    {
        this.device = device;
        this.clocks = clocks;
        device.AllowTf32 = workload.Arithmetic.IsTf32;
        try
        {
            for (var i = Sets(workload, device.Info.L2Bytes); i > 0; i--) runs.Add(workload.Prepare(device));
            foreach (var run in runs) run.Poison();
            step = device.Capture(() =>
            {
                foreach (var run in runs) run.Once();
            });
            foreach (var run in runs) RequireFinite(workload, run);
            replays = (int)Math.Clamp(SampleTime / device.Time(step.Replay), 1, 1000);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Of all samples so far, for doing the work once.</summary>
    public double MedianSeconds => Median(samples);

    /// <summary>Clock of the multiprocessors while the work ran; null where it is not known.</summary>
    public double? MedianMegahertz => megahertz.Count > 0 ? Median(megahertz) : null;

    /// <summary>Sets of tensors to go through in turn, so that none is left in the cache from its last turn.</summary>
    /// <param name="workload">The work.</param>
    /// <param name="cacheBytes">The level-2 cache.</param>
    public static int Sets(Workload workload, long cacheBytes) => (int)Math.Clamp(Math.Ceiling(CacheTimes * cacheBytes / workload.Bytes), FewestSets, MostSets);

    /// <summary>Takes a round of samples.</summary>
    public void Sample()
    {
        for (var sample = 0; sample < SamplesPerRound; sample++)
        {
            samples.Add(device.Time(() =>
            {
                for (var i = 0; i < replays; i++) step.Replay();
                if (clocks?.Megahertz() is { } now) megahertz.Add(now.Multiprocessors);
            }).TotalSeconds / replays / runs.Count);
        }
    }

    public void Dispose()
    {
        step?.Dispose();
        foreach (var run in runs) run.Dispose();
        device.Memory.Trim();
    }

    /// <summary>Does a workload once and looks at the result.</summary>
    /// <exception cref="ArithmeticException">The result is not finite.</exception>
    public static void Check(CudaDevice device, Workload workload)
    {
        device.AllowTf32 = workload.Arithmetic.IsTf32;
        using var run = workload.Prepare(device);
        run.Poison();
        run.Once();
        RequireFinite(workload, run);
    }

    /// <summary>The middle one.</summary>
    public static double Median(IReadOnlyCollection<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void RequireFinite(Workload workload, WorkloadRun run)
    {
        using var sum = Tensor.Empty([1], device: run.Result.Device);
        run.Result.Device.Engine.Elementwise.Sum(run.Result, sum);
        if (!float.IsFinite(sum.Item())) throw new ArithmeticException($"{workload.Name}: the result is not finite ({sum.Item()})");
    }
}
