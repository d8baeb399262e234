namespace CnnNative.Interop;

/// <summary>How the search for a library went: every place, and the one that was taken.</summary>
/// <param name="Library">What was looked for.</param>
/// <param name="Candidates">The places, in the order tried.</param>
/// <param name="Handle">The loaded library; 0 if none was usable. It stays loaded until the process ends.</param>
public sealed record LibrarySearch(CudaLibrary Library, IReadOnlyList<LibraryCandidate> Candidates, nint Handle)
{
    /// <summary>Whether a usable library was found.</summary>
    public bool Found => Handle != 0;

    /// <summary>The file that was taken; null if none was usable.</summary>
    public string? Path => Found ? Candidates[^1].Path : null;
}
