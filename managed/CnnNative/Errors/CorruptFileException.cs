namespace CnnNative;

/// <summary>A file is truncated, damaged or not of the format that was expected.</summary>
public sealed class CorruptFileException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="path">The file.</param>
    /// <param name="problem">What was found and what was expected.</param>
    /// <param name="inner">The error of a decoder below, if any.</param>
    public CorruptFileException(string path, string problem, Exception? inner = null)
        : base($"{path}: {problem}", inner) => Path = path;

    /// <summary>The file.</summary>
    public string Path { get; }
}
