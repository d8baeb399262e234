using System.CommandLine;

namespace CnnNative.Cli.Commands;

/// <summary>--checkpoint, of the commands that use a trained model.</summary>
internal static class CheckpointOption
{
    /// <summary>Makes the option.</summary>
    public static Option<string> Create() => new("--checkpoint") { Description = "What cnn train wrote", HelpName = "FILE", Required = true };
}
