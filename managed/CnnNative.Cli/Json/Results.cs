using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CnnNative.Cli.Json;

/// <summary>Writes what machines read.</summary>
internal static class Results
{
    /// <summary>Writes one line to standard output.</summary>
    /// <typeparam name="T">The kind of result.</typeparam>
    /// <param name="result">The result.</param>
    /// <param name="type">How it is written.</param>
    public static void Write<T>(T result, JsonTypeInfo<T> type) => Console.WriteLine(JsonSerializer.Serialize(result, type));
}
