using System.CommandLine;

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
        engine.AcceptOnlyFromAmong("auto", "cpu");
        command.Add(engine);
        command.Add(threads);
    }

    /// <summary>Opens the device that was asked for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <exception cref="UsageException">The number of threads makes no sense.</exception>
    public CpuDevice Open(ParseResult parsed) =>
        new((int)(Check.Range("--threads", parsed.GetValue(threads), 1, MostThreads) ?? 0));

    /// <summary>Which engine, and why.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="device">What <see cref="Open"/> gave.</param>
    public string Explain(ParseResult parsed, CpuDevice device)
    {
        var reason = parsed.GetValue(engine) == "auto" ? " (auto: the only engine of this version)" : "";
        return $"engine cpu, {device.Threads} {(device.Threads == 1 ? "thread" : "threads")}{reason}";
    }
}
