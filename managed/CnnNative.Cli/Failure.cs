using System.Text.RegularExpressions;
using CnnNative.Interop;

namespace CnnNative.Cli;

/// <summary>Something the user can put right; the message says how.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Puts failures into one line.</summary>
internal static partial class Failure
{
    /// <summary>What went wrong, for the user.</summary>
    /// <param name="error">What was thrown.</param>
    public static string Describe(Exception error) => error switch
    {
        UsageException or CorruptFileException or StateDictException or IOException or UnauthorizedAccessException
            or ArithmeticException or DeviceOutOfMemoryException or NotSupportedException or CudaException or KernelsMissingException => OneLine(error.Message),
        LibraryNotFoundException missing => $"no {missing.Search.Library} was found; cnn doctor shows where it was looked for",
        ArgumentException => OneLine(ParameterSuffix().Replace(error.Message, "")),
        _ => $"unexpected {error.GetType().Name}: {OneLine(error.Message)} (--verbose shows where)",
    };

    /// <summary>The first line of a text.</summary>
    /// <param name="text">Text of any number of lines.</param>
    public static string OneLine(string text) => text.Split('\n', 2)[0].TrimEnd();

    /// <summary>What the framework adds to the message of an argument's exception: it means nothing to a user.</summary>
    [GeneratedRegex(@" \(Parameter '[^']*'\)")]
    private static partial Regex ParameterSuffix();
}
