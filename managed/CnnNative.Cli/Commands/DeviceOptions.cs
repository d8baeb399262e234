using System.CommandLine;
using CnnNative.Interop;

namespace CnnNative.Cli.Commands;

/// <summary>--engine and --threads: where a command computes.</summary>
internal sealed class DeviceOptions
{
    private const int MostThreads = 1024;
    private readonly Option<string> engine = new("--engine") { Description = "What computes: auto takes the best that this machine has", DefaultValueFactory = _ => "auto" };
    private readonly Option<int?> threads = new("--threads") { Description = "Threads that compute [default: one per core]", HelpName = "N" };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public DeviceOptions(Command command)
    {
        engine.AcceptOnlyFromAmong("auto", "cpu", "native");
        command.Add(engine);
        command.Add(threads);
    }

    /// <summary>Opens the device that was asked for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <exception cref="UsageException">The number of threads makes no sense.</exception>
    /// <exception cref="LibraryNotFoundException">The native engine was asked for, and there is no CUDA driver.</exception>
    public DeviceChoice Open(ParseResult parsed)
    {
        var count = Check.Range("--threads", parsed.GetValue(threads), 1, MostThreads);
        if (count is not null && parsed.GetValue(engine) == "native") throw new UsageException("--threads is for the CPU; --engine native has none");
        return parsed.GetValue(engine) switch
        {
            "cpu" => new(OpenCpu(), "asked for"),
            "native" => new(CudaDevice.Open(), "asked for"),
            _ => DeviceChoice.Best(OpenCpu),
        };

        CpuDevice OpenCpu() => new((int)(count ?? 0));
    }

    /// <summary>Which engine, and why.</summary>
    /// <param name="choice">What <see cref="Open"/> gave.</param>
    public static string Explain(DeviceChoice choice)
    {
        var what = choice.Device switch
        {
            CpuDevice cpu => $"{cpu.Threads} {(cpu.Threads == 1 ? "thread" : "threads")}",
            CudaDevice gpu => gpu.Info.Name,
            _ => choice.Device.Name,
        };
        return $"engine {Name(choice.Device)}, {what} ({choice.Reason})";
    }

    /// <summary>Whether a time on the device says something: not so on the emulated driver.</summary>
    /// <param name="device">The device.</param>
    public static bool IsTimed(Device device) => device is not CudaDevice || !CudaDevice.IsEmulated;

    /// <summary>Name of the engine, as --engine takes it.</summary>
    /// <param name="device">Its device.</param>
    public static string Name(Device device) => device.Engine.Name.ToLowerInvariant();
}
