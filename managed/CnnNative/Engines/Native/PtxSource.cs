using System.IO.Compression;
using System.Reflection;

namespace CnnNative.Engines.Native;

/// <summary>Where PTX comes from: the folder that CNN_PTX names, or this assembly, into which the build put an archive of it.</summary>
internal static class PtxSource
{
    private const string Archive = "kernels.zip";

    /// <summary>Hopper's own instructions run only on compute capability 9.0; the portable ones on 8.0 and everything after it.</summary>
    private static readonly (string Target, Func<int, bool> Runs)[] Targets = [("sm_90a", capability => capability == 90), ("sm_80", capability => capability >= 80)];

    /// <summary>Whether this build of the library has kernels at all.</summary>
    public static bool IsPresent => Folder is not null || Assembly.GetExecutingAssembly().GetManifestResourceInfo(Archive) is not null;

    private static string? Folder => Environment.GetEnvironmentVariable("CNN_PTX") is { Length: > 0 } folder ? folder : null;

    /// <summary>The best PTX of a module for a device.</summary>
    /// <param name="entry">A kernel of the module.</param>
    /// <param name="capability">10 * major + minor of the device's compute capability.</param>
    /// <exception cref="EngineNotSupportedException">The module has nothing that runs on the device.</exception>
    /// <exception cref="KernelsMissingException">The PTX was not built.</exception>
    public static (string Name, byte[] Text) Load(in KernelEntry entry, int capability)
    {
        var built = entry.Targets.Split(' ');
        foreach (var (target, runs) in Targets)
        {
            if (!runs(capability) || !built.Contains(target)) continue;
            var name = $"{entry.Module}.{target}";
            return (name, Read(name) ?? throw new KernelsMissingException($"There is no {name}.ptx in {Folder ?? "this build of the library"}"));
        }

        throw new EngineNotSupportedException("Native", entry.Name, $"compute capability {capability / 10}.{capability % 10} (it needs {entry.Targets.Replace(" ", " or ", StringComparison.Ordinal)})");
    }

    private static byte[]? Read(string name)
    {
        if (Folder is { } folder)
        {
            var path = Path.Combine(folder, name + ".ptx");
            return File.Exists(path) ? File.ReadAllBytes(path) : null;
        }

        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream(Archive);
        if (resource is null) return null;
        using var archive = new ZipArchive(resource);
        if (archive.GetEntry(name + ".ptx") is not { } entry) return null;
        using var stream = entry.Open();
        var text = new byte[entry.Length];
        stream.ReadExactly(text);
        return text;
    }
}
