using CnnNative.Cli.Json;
using CnnNative.Cli.Output;
using CnnNative.Interop;

namespace CnnNative.Cli.Bench;

/// <summary>Counts on the emulated driver what the kernels of each workload do, and puts it beside what a chip does at most.</summary>
/// <param name="device">The emulated device.</param>
/// <param name="human">For people.</param>
internal sealed class CountRun(CudaDevice device, Human human)
{
    private readonly ChipLimits chip = ChipLimits.H200;

    /// <summary>Counts the workloads; the one furthest from its floor comes last.</summary>
    /// <param name="workloads">The workloads.</param>
    /// <param name="json">Whether to write the JSON object to standard output at the end.</param>
    public void Run(List<Workload> workloads, bool json)
    {
        human.Line($"Counted on the emulated driver, not measured: how long parts of an {chip.Name} are busy, in parts of the least time that bytes and operations need.");
        human.Line($"{"workload",-48} {"launches",8} {"L2",8} {"L1",8} {"issue",8} {"arith.",8}  bound");
        List<CountJson> counts = [];
        foreach (var workload in workloads)
        {
            counts.Add(Count(workload));
            Tell(counts[^1]);
        }

        human.Line();
        human.Line("Furthest from the floor:");
        foreach (var count in counts.OrderByDescending(count => count.Busy).Take(10)) Tell(count);
        if (json) Results.Write(new CountsJson(chip.Name, counts), ResultContext.Default.CountsJson);
    }

    private CountJson Count(Workload workload)
    {
        device.AllowTf32 = workload.Arithmetic.IsTf32;
        using var run = workload.Prepare(device);
        device.Synchronize();
        EmulatedCounters.Reset(ofBlocks: true);
        run.Once();
        device.Synchronize();
        var counted = EmulatedCounters.Total();
        var busy = chip.Busy(workload, counted);
        return new(workload.Name, counted.Launches, busy.Cache, busy.Shared, busy.Issue, busy.Arithmetic, busy.Bound.Name, busy.Bound.Busy);
    }

    private void Tell(CountJson count) => human.Line(FormattableString.Invariant(
        $"{count.Name,-48} {count.Launches,8} {count.L2,8:F2} {count.L1,8:F2} {count.Issue,8:F2} {count.Arithmetic,8:F2}  {count.Bound} {count.Busy:F2}"));
}
