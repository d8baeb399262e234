using System.CommandLine;

namespace CnnNative.Cli.Commands;

/// <summary>--json, of every command.</summary>
internal static class JsonOption
{
    /// <summary>Makes the option.</summary>
    public static Option<bool> Create() => new("--json") { Description = "Report as one JSON object, the last line of standard output" };
}
