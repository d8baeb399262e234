namespace CnnNative.Interop;

/// <summary>The places where NVIDIA's libraries may lie, best first. Nothing is loaded here.</summary>
internal static class LibraryPlaces
{
    /// <summary>Paths to try for a library, each with the reason.</summary>
    /// <param name="library">What is looked for.</param>
    /// <param name="explicitPath">A file that the caller named; then it is the only place.</param>
    public static IEnumerable<(string Path, string Origin)> Of(CudaLibrary library, string? explicitPath)
    {
        if (!string.IsNullOrEmpty(explicitPath)) return [(explicitPath, "given by the caller")];
        var named = Environment.GetEnvironmentVariable(library.Variable);
        if (!string.IsNullOrEmpty(named)) return [(named, library.Variable)];
        return Folders().SelectMany(place => library.Files.Select(file => (System.IO.Path.Combine(place.Folder, file), place.Origin)))
            .Concat(library.Files.Select(file => (file, "the loader's own path")))
            .Concat(PythonFolders().SelectMany(folder => library.Files.Select(file => (System.IO.Path.Combine(folder, file), "a Python package"))));
    }

    private static IEnumerable<(string Folder, string Origin)> Folders()
    {
        yield return (AppContext.BaseDirectory, "the application's folder");
        foreach (var variable in (string[])["CUDA_PATH", "CUDA_HOME"])
        {
            if (Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } root) continue;
            foreach (var folder in (string[])["lib64", "lib", "bin", "bin/x64"]) yield return (System.IO.Path.Combine(root, folder), variable);
        }

        var list = OperatingSystem.IsWindows() ? "PATH" : "LD_LIBRARY_PATH";
        foreach (var folder in Split(list)) yield return (folder, list);
    }

    /// <summary>Folders of the wheels nvidia-cudnn-cu12 and the like: site-packages/nvidia/*/lib (bin on Windows).</summary>
    private static IEnumerable<string> PythonFolders()
    {
        var roots = ((string?[])[Environment.GetEnvironmentVariable("VIRTUAL_ENV"), Environment.GetEnvironmentVariable("CONDA_PREFIX"),
            System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local"), "/usr/local", "/usr"]).OfType<string>();
        var leaf = OperatingSystem.IsWindows() ? "bin" : "lib";
        return roots.Select(root => System.IO.Path.Combine(root, "lib")).SelectMany(lib => Children(lib, "python3*"))
            .SelectMany(python => (string[])[System.IO.Path.Combine(python, "site-packages"), System.IO.Path.Combine(python, "dist-packages")])
            .Select(packages => System.IO.Path.Combine(packages, "nvidia"))
            .SelectMany(nvidia => Children(nvidia, "*")).Select(package => System.IO.Path.Combine(package, leaf)).Where(Directory.Exists);
    }

    private static IEnumerable<string> Children(string folder, string pattern)
    {
        try
        {
            return Directory.Exists(folder) ? Directory.GetDirectories(folder, pattern).Order(StringComparer.Ordinal) : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string[] Split(string variable) =>
        (Environment.GetEnvironmentVariable(variable) ?? "").Split(System.IO.Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
}
