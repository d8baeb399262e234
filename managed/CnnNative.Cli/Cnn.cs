using System.CommandLine;
using CnnNative.Cli.Bench;
using CnnNative.Cli.Commands;

namespace CnnNative.Cli;

/// <summary>The program: parses the command line, runs the command, and turns every failure into one line and an exit code.</summary>
internal static class Cnn
{
    /// <summary>Runs the program.</summary>
    /// <param name="arguments">The command line without the program's name.</param>
    /// <returns>The exit code: see <see cref="ExitCode"/>.</returns>
    public static int Run(string[] arguments)
    {
        var verbose = new Option<bool>("--verbose") { Description = "With an error, also show where in the program it happened", Recursive = true };
        var root = new RootCommand("Trains, evaluates and applies small convolutional networks.")
        {
            verbose, TrainCommand.Create(), EvalCommand.Create(), PredictCommand.Create(), SummaryCommand.Create(), DoctorCommand.Create(), BenchCommand.Create(),
        };
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0) return WrongUsage(parsed);
        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception error)
        {
            Console.Error.WriteLine($"error: {Failure.Describe(error)}");
            if (parsed.GetValue(verbose)) Console.Error.WriteLine(error);
            return ExitCode.Error;
        }
    }

    private static int WrongUsage(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command is RootCommand ? "cnn" : $"cnn {parsed.CommandResult.Command.Name}";
        Console.Error.WriteLine($"error: {Failure.OneLine(parsed.Errors[0].Message).TrimEnd('.')}; see {command} --help");
        return ExitCode.WrongUsage;
    }
}
