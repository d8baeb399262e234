using System.CommandLine;
using CnnNative.Cli.Commands;
using CnnNative.Cli.Json;
using CnnNative.Cli.Output;
using CnnNative.Interop;
using Spectre.Console;

namespace CnnNative.Cli.Bench;

/// <summary><c>cnn bench</c>: times every kernel beside the least time that the chip allows.</summary>
internal static class BenchCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("bench", "Time the kernels on a GPU beside the floor: the bytes that must move, the operations that must be done.");
        var filter = new Option<string>("--filter") { Description = "Only workloads whose name has this text", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        var check = new Option<bool>("--check") { Description = "Only run each workload once, with one image, and look at its result; works on the emulated driver" };
        var json = JsonOption.Create();
        foreach (var option in new Option[] { filter, check, json }) command.Add(option);
        command.SetAction(parsed =>
        {
            using var device = CudaDevice.Open();
            var name = parsed.GetRequiredValue(filter);
            if (parsed.GetValue(check)) Check(device, name, parsed.GetValue(json));
            else Run(device, name, parsed.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static List<Workload> Select(string filter, int images = int.MaxValue)
    {
        var found = Workloads.All(Shapes.Read(), images).Where(workload => workload.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count > 0 ? found : throw new UsageException($"--filter '{filter}' fits no workload");
    }

    private static void Check(CudaDevice device, string filter, bool json)
    {
        var workloads = Select(filter, images: 1);
        foreach (var workload in workloads) Measurement.Check(device, workload);
        Human.Open(json).Line($"{workloads.Count} workloads ran on {device.Info.Name} with finite results");
        if (json) Results.Write(new BenchJson(device.Info.Name, LibraryVersion.Text(CudaDriver.Version), null, null, [.. workloads.Select(workload => new TimeJson(workload.Name, null, null, null))]), ResultContext.Default.BenchJson);
    }

    private static void Run(CudaDevice device, string filter, bool json)
    {
        if (CudaDriver.IsEmulated) throw new UsageException("the emulated driver's time says nothing of speed; --check runs the workloads without timing");
        var human = Human.Open(json);
        var ceilings = Ceilings.Measure(device);
        human.Line($"{device.Info.Name}: copy {ceilings.BytesPerSecond / 1e12:F2} TB/s, float32 product {ceilings.OperationsPerSecond / 1e12:F1} TFLOP/s");
        var table = Human.Table("workload", " microseconds", " floor", " share of the floor");
        var times = new List<TimeJson>();
        foreach (var workload in Select(filter))
        {
            var (seconds, floor) = (Measurement.Seconds(device, workload), ceilings.Floor(workload));
            times.Add(new(workload.Name, seconds * 1e6, floor * 1e6, floor / seconds));
            table.AddRow(new Text(workload.Name), new Text($"{seconds * 1e6:F1}"), new Text($"{floor * 1e6:F1}"), new Text(Words.Percent(floor / seconds)));
        }

        human.Console.Write(table);
        if (json) Results.Write(new BenchJson(device.Info.Name, LibraryVersion.Text(CudaDriver.Version), ceilings.BytesPerSecond, ceilings.OperationsPerSecond, times), ResultContext.Default.BenchJson);
    }
}
