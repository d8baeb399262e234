using System.Runtime.InteropServices;

namespace CnnNative.Interop;

/// <summary>Finds and loads NVIDIA's libraries, and remembers where it looked and why it refused what it saw.</summary>
public static class LibraryFinder
{
    /// <summary>Searches for a library and loads the first usable file.</summary>
    /// <param name="library">What to look for.</param>
    /// <param name="explicitPath">A file to use instead of searching; if it cannot be used nothing else is tried.</param>
    public static LibrarySearch Find(CudaLibrary library, string? explicitPath = null)
    {
        var candidates = new List<LibraryCandidate>();
        foreach (var (path, origin) in LibraryPlaces.Of(library, explicitPath).Distinct())
        {
            var isFile = System.IO.Path.GetFileName(path) != path;
            nint handle = 0;
            var refusal = isFile && !File.Exists(path) ? LibraryCandidate.Absent : TryLoad(library, isFile ? RealPath(path) : path, out handle);
            candidates.Add(new(path, origin, refusal));
            if (refusal is null) return new(library, candidates, handle);
        }

        return new(library, candidates, 0);

        static string? TryLoad(CudaLibrary library, string path, out nint handle)
        {
            handle = 0;
            try
            {
                handle = NativeLibrary.Load(path);
                if (NativeLibrary.TryGetExport(handle, library.Export, out _)) return null;
                NativeLibrary.Free(handle);
                handle = 0;
                return $"it is not {library}: it has no {library.Export}";
            }
            catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
            {
                // The runtime's advice comes first; the loader's own words are its last line.
                return error.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];
            }
        }
    }

    /// <summary>Links resolved: cuDNN 9 looks for its parts beside the file that was loaded.</summary>
    private static string RealPath(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            return File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
        }
        catch (IOException)
        {
            return full;
        }
    }
}
