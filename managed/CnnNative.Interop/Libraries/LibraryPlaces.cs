namespace CnnNative.Interop;

/// <summary>The places where NVIDIA's libraries may lie, best first. Nothing is loaded here.</summary>
internal static class LibraryPlaces
{
    private const string Conda = "CONDA_PREFIX";

    /// <summary>Paths to try for a library, each with the reason.</summary>
    /// <param name="library">What is looked for.</param>
    /// <param name="explicitPath">A file that the caller named; then it is the only place.</param>
    public static IEnumerable<(string Path, string Origin)> Of(CudaLibrary library, string? explicitPath)
    {
        if (!string.IsNullOrEmpty(explicitPath)) return [(explicitPath, "given by the caller")];
        var named = Environment.GetEnvironmentVariable(library.Variable);
        if (!string.IsNullOrEmpty(named)) return [(named, library.Variable)];
        var isWindows = OperatingSystem.IsWindows();
        return Folders(isWindows).SelectMany(place => library.Files.Select(file => (System.IO.Path.Combine(place.Folder, file), place.Origin)))
            .Concat(library.Files.Select(file => (file, "the loader's own path")))
            .Concat(PythonRoots().SelectMany(root => WheelFolders(root, isWindows))
                .SelectMany(folder => library.Files.Select(file => (System.IO.Path.Combine(folder, file), "a Python package"))));
    }

    /// <summary>
    /// Folders of the wheels nvidia-cudnn-cu12 and the like in a Python installation: lib/python3.x/site-packages/nvidia/*/lib, on Windows
    /// Lib/site-packages/nvidia/*/bin.
    /// </summary>
    /// <param name="root">Where Python is installed.</param>
    /// <param name="isWindows">Whether it is laid out as on Windows.</param>
    internal static IEnumerable<string> WheelFolders(string root, bool isWindows)
    {
        var packages = isWindows
            ? [System.IO.Path.Combine(root, "Lib", "site-packages")]
            : Children(System.IO.Path.Combine(root, "lib"), "python3*")
                .SelectMany(python => (string[])[System.IO.Path.Combine(python, "site-packages"), System.IO.Path.Combine(python, "dist-packages")]);
        return packages.SelectMany(folder => Children(System.IO.Path.Combine(folder, "nvidia"), "*"))
            .Select(package => System.IO.Path.Combine(package, isWindows ? "bin" : "lib")).Where(Directory.Exists);
    }

    /// <summary>Where conda's own packages lay libraries.</summary>
    /// <param name="root">The environment.</param>
    /// <param name="isWindows">Whether it is laid out as on Windows.</param>
    internal static string CondaFolder(string root, bool isWindows) =>
        isWindows ? System.IO.Path.Combine(root, "Library", "bin") : System.IO.Path.Combine(root, "lib");

    private static IEnumerable<(string Folder, string Origin)> Folders(bool isWindows)
    {
        yield return (AppContext.BaseDirectory, "the application's folder");
        foreach (var variable in (string[])["CUDA_PATH", "CUDA_HOME"])
        {
            if (Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } root) continue;
            foreach (var folder in (string[])["lib64", "lib", "bin", "bin/x64"]) yield return (System.IO.Path.Combine(root, folder), variable);
        }

        if (Environment.GetEnvironmentVariable(Conda) is { Length: > 0 } environment) yield return (CondaFolder(environment, isWindows), Conda);
        var list = isWindows ? "PATH" : "LD_LIBRARY_PATH";
        foreach (var folder in Split(list)) yield return (folder, list);
    }

    private static IEnumerable<string> PythonRoots() =>
        ((string?[])[Environment.GetEnvironmentVariable("VIRTUAL_ENV"), Environment.GetEnvironmentVariable(Conda),
            System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local"), "/usr/local", "/usr"]).OfType<string>();

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
