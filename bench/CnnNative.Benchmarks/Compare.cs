using System.Diagnostics;
using System.Text.Json;

namespace CnnNative.Benchmarks;

/// <summary>Measures every workload of the comparison and prints a line of JSON for each: name, unit, and the rate of each sample.</summary>
internal static class Compare
{
    private const int Samples = 7;

    // Long enough for the just-in-time compiler to replace its first, plain code; the peer gets the same time.
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(500), Sample = TimeSpan.FromMilliseconds(20);

    public static int Run(int threads, string filter)
    {
        using var device = new CpuDevice(threads);
        foreach (var workload in Workloads.All(device).Where(workload => workload.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)))
        {
            using var run = workload.Prepare();
            var rates = Measure(run.Once).Select(seconds => workload.Work / seconds).ToArray();
            Console.WriteLine(JsonSerializer.Serialize(new { name = workload.Name, unit = workload.Unit, threads, rates }));
        }

        return 0;
    }

    /// <summary>Seconds per call, in several samples of enough calls for the clock.</summary>
    private static List<double> Measure(Action once)
    {
        var calls = 0;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < WarmUp || calls < 3; calls++) once();
        var one = Stopwatch.StartNew();
        once();
        var repeat = (int)Math.Clamp(Sample / one.Elapsed, 1, 1e6);
        var samples = new List<double>();
        for (var sample = 0; sample < Samples; sample++)
        {
            var clock = Stopwatch.StartNew();
            for (var i = 0; i < repeat; i++) once();
            samples.Add(clock.Elapsed.TotalSeconds / repeat);
        }

        return samples;
    }
}
