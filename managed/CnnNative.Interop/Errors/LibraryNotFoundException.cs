namespace CnnNative.Interop;

/// <summary>A native library was not found, or what was found could not be used. The message lists every place and why it was refused.</summary>
public sealed class LibraryNotFoundException : DllNotFoundException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="search">Where the library was looked for.</param>
    public LibraryNotFoundException(LibrarySearch search)
        : base($"{search.Library} was not found:\n{string.Join('\n', search.Candidates.Select(candidate => $"  {candidate}"))}") => Search = search;

    /// <summary>Where the library was looked for.</summary>
    public LibrarySearch Search { get; }
}
