namespace CnnNative.Cli.Commands;

/// <summary>Makes sure, before hours of training, that its result can be written.</summary>
internal static class OutputFile
{
    /// <summary>Folder of checkpoints that were given no name; made when it is missing.</summary>
    public const string DefaultFolder = "checkpoints";

    /// <summary>Throws unless a file of that name can be made or replaced. Nothing is left behind.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="UsageException">It cannot.</exception>
    public static void RequireWritable(string path)
    {
        if (Directory.Exists(path)) throw new UsageException($"--out {path} is a folder; give the name of a file");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder)) throw new UsageException($"--out {path}: there is no folder {folder}");
        var probe = Path.Combine(folder, $".{Path.GetFileName(path)}.{Environment.ProcessId:x}.tmp");
        try
        {
            new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--out {path} cannot be written: {error.Message}");
        }
    }

    /// <summary>The file of a model that was given no name.</summary>
    /// <param name="model">Name of the model.</param>
    public static string Default(string model)
    {
        Directory.CreateDirectory(DefaultFolder);
        return Path.Combine(DefaultFolder, $"{model}.safetensors");
    }
}
