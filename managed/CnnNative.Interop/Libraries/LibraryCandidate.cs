namespace CnnNative.Interop;

/// <summary>A place where a library was looked for.</summary>
/// <param name="Path">The file, or a bare name that the system's loader resolves.</param>
/// <param name="Origin">Why this place: a variable, the application's folder, the loader's own path.</param>
/// <param name="Refusal">Why it was not taken; null for the one that was.</param>
public sealed record LibraryCandidate(string Path, string Origin, string? Refusal)
{
    /// <summary>The refusal of a place where there is nothing.</summary>
    public const string Absent = "no such file";

    /// <inheritdoc/>
    public override string ToString() => $"{Path} ({Origin}): {Refusal ?? "loaded"}";
}
