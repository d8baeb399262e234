using BenchmarkDotNet.Attributes;
using CnnNative.Engines.Cpu;

namespace CnnNative.Benchmarks;

/// <summary>Each workload of the comparison by itself.</summary>
public class WorkloadBenchmarks
{
    private CpuDevice? device;
    private Prepared? run;

    /// <summary>Names of the workloads.</summary>
    public static IEnumerable<string> Names
    {
        get
        {
            using var device = new CpuDevice(1);
            return [.. Workloads.All(device).Select(workload => workload.Name)];
        }
    }

    [ParamsSource(nameof(Names))]
    public string Name { get; set; } = "";

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        device = new CpuDevice(Threads);
        run = Workloads.All(device).Single(workload => workload.Name == Name).Prepare();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        run?.Dispose();
        device?.Dispose();
    }

    [Benchmark]
    public void Run() => run!.Once();
}

/// <summary>The cost of a fork and join with nothing to do in it.</summary>
public class ForkBenchmarks
{
    private CpuThreads? threads;

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Prepare() => threads = new CpuThreads(Threads);

    [GlobalCleanup]
    public void Dispose() => threads?.Dispose();

    [Benchmark]
    public void Fork() => threads!.Run(Threads, static _ => { });
}
