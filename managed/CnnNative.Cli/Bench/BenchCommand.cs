using System.CommandLine;
using CnnNative.Cli.Commands;
using CnnNative.Cli.Output;
using CnnNative.Interop;

namespace CnnNative.Cli.Bench;

/// <summary><c>cnn bench</c>: times every kernel beside the least time that the chip allows, and beside a peer.</summary>
internal static class BenchCommand
{
    private static readonly string[] Types = [.. Variant.All.Select(variant => variant.Name)];

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("bench", "Time the kernels on a GPU beside the floor (the bytes that must move, the operations that must be done) and beside a peer.");
        var filter = new Option<string>("--filter") { Description = "Only workloads whose name has this text", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        var types = new Option<string[]>("--dtype") { Description = $"Data types, with a layout where it is not the usual one: {string.Join(", ", Types)}; default: the first two", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => Types[..2] };
        var check = new Option<bool>("--check") { Description = "Only run each workload once, with one image, and look at its result; works on the emulated driver" };
        var peer = new Option<string[]>("--peer")
        {
            Description = "A program that measures the same in turns, such as python3 bench/peers/pytorch_gpu.py", HelpName = "PROGRAM ARGUMENTS", AllowMultipleArgumentsPerToken = true,
        };
        var output = new Option<string>("--out") { Description = "Also write the JSON object to this file, after each workload", HelpName = "FILE" };
        var json = JsonOption.Create();
        foreach (var option in new Option[] { filter, types, check, peer, output, json }) command.Add(option);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(output) is { } path) OutputFile.RequireWritable(path);
            var isCheck = parsed.GetValue(check);
            var wanted = parsed.GetRequiredValue(types).Distinct().Select(VariantOf).ToList();
            using var device = CudaDevice.Open();
            if (CudaDriver.IsEmulated && !isCheck) throw new UsageException("the emulated driver's time says nothing of speed; --check runs the workloads without timing");
            using var other = parsed.GetValue(peer) is { Length: > 0 } line ? new Peer(line) : null;
            var bench = new BenchRun(device, other, Human.Open(parsed.GetValue(json)), parsed.GetValue(output));
            return bench.Run(Select(wanted, parsed.GetRequiredValue(filter), isCheck), [.. wanted.Select(variant => variant.Arithmetic)], isCheck, parsed.GetValue(json)) ? ExitCode.Success : ExitCode.Error;
        });
        return command;
    }

    private static Variant VariantOf(string name) =>
        Variant.All.FirstOrDefault(variant => variant.Name == name) ?? throw new UsageException($"--dtype is '{name}'; it must be one of {string.Join(", ", Types)}");

    private static List<Workload> Select(IEnumerable<Variant> variants, string filter, bool check)
    {
        var shapes = Shapes.Read();
        var found = variants.SelectMany(variant => new Workloads(shapes, variant, check ? 1 : int.MaxValue).All())
            .Where(workload => workload.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count > 0 ? found : throw new UsageException($"--filter '{filter}' fits no workload");
    }
}
