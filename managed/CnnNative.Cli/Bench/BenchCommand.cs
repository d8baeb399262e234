using System.CommandLine;
using CnnNative.Cli.Commands;
using CnnNative.Cli.Output;
using CnnNative.Interop;

namespace CnnNative.Cli.Bench;

/// <summary><c>cnn bench</c>: times every kernel beside the least time that the chip allows, and beside a peer.</summary>
internal static class BenchCommand
{
    private static readonly string[] Types = [.. Variant.All.Select(variant => variant.Name)];

    private const string NoTime = "the emulated driver's time says nothing of speed; --check runs the workloads without timing, --count counts what their kernels do";
    private const string NoCounters = "--count needs the emulated driver (CNN_CUDA_DRIVER); a GPU does not count what its kernels do";

    /// <summary>Elements of what has no images: where only correctness is looked at, and where the emulated driver counts.</summary>
    private const int CheckedElements = 1000, CountedElements = 1 << 20;

    /// <summary>Images or rows of a workload that is counted, unless asked otherwise.</summary>
    private const int CountedImages = 4;

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("bench", "Time the kernels on a GPU beside the floor (the bytes that must move, the operations that must be done) and beside a peer; or count what they do, without one.");
        var filter = new Option<string>("--filter") { Description = "Only workloads whose name has this text", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        var types = new Option<string[]>("--dtype") { Description = $"Data types, with a layout where it is not the usual one: {string.Join(", ", Types)}; default: the first two", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => Types[..2] };
        var check = new Option<bool>("--check") { Description = "Only run each workload once, with one image, and look at its result; works on the emulated driver" };
        var count = new Option<bool>("--count") { Description = "Count instructions, bytes and conflicts on the emulated driver, without timing, and say which part of a chip they keep busy longest" };
        var most = new Option<int>("--images") { Description = "With --count: at most so many images or rows", HelpName = "N", DefaultValueFactory = _ => CountedImages };
        most.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 1024) result.AddError($"--images is {result.GetValueOrDefault<int>()}; it must be from 1 to 1024");
        });
        var peer = new Option<string[]>("--peer")
        {
            Description = "A program that measures the same in turns, such as python3 bench/peers/pytorch_gpu.py", HelpName = "PROGRAM ARGUMENTS", AllowMultipleArgumentsPerToken = true,
        };
        var output = new Option<string>("--out") { Description = "Also write the JSON object to this file, after each workload", HelpName = "FILE" };
        var json = JsonOption.Create();
        foreach (var option in new Option[] { filter, types, check, count, most, peer, output, json }) command.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(count) && (result.GetValue(check) || result.GetResult(peer) is not null || result.GetResult(output) is not null))
                result.AddError("--count counts, and goes with neither --check nor --peer nor --out");
        });
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(output) is { } path) OutputFile.RequireWritable(path);
            var (isCheck, isCount, isJson) = (parsed.GetValue(check), parsed.GetValue(count), parsed.GetValue(json));
            var wanted = parsed.GetRequiredValue(types).Distinct().Select(VariantOf).ToList();
            using var device = CudaDevice.Open();
            if (isCount != CudaDriver.IsEmulated && !isCheck) throw new UsageException(isCount ? NoCounters : NoTime);
            var (images, elements) = isCheck ? (1, CheckedElements) : isCount ? (parsed.GetValue(most), CountedElements) : (int.MaxValue, int.MaxValue);
            var workloads = Select(wanted, parsed.GetRequiredValue(filter), images, elements);
            if (isCount)
            {
                new CountRun(device, Human.Open(isJson)).Run(workloads, isJson);
                return ExitCode.Success;
            }

            using var other = parsed.GetValue(peer) is { Length: > 0 } line ? new Peer(line) : null;
            var bench = new BenchRun(device, other, Human.Open(isJson), parsed.GetValue(output));
            return bench.Run(workloads, [.. wanted.Select(variant => variant.Arithmetic)], isCheck, isJson) ? ExitCode.Success : ExitCode.Error;
        });
        return command;
    }

    private static Variant VariantOf(string name) =>
        Variant.All.FirstOrDefault(variant => variant.Name == name) ?? throw new UsageException($"--dtype is '{name}'; it must be one of {string.Join(", ", Types)}");

    private static List<Workload> Select(IEnumerable<Variant> variants, string filter, int images, int elements)
    {
        var shapes = Shapes.Read();
        var found = variants.SelectMany(variant => new Workloads(shapes, variant, images, elements).All())
            .Where(workload => workload.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)).ToList();
        return found.Count > 0 ? found : throw new UsageException($"--filter '{filter}' fits no workload");
    }
}
