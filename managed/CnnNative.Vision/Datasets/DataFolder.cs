namespace CnnNative.Vision.Datasets;

/// <summary>Finds the files of a data set in a folder by their usual names.</summary>
internal static class DataFolder
{
    /// <summary>The first file that exists, plain or gzipped.</summary>
    /// <param name="folder">Where to look.</param>
    /// <param name="meaning">What is looked for, such as "MNIST training images".</param>
    /// <param name="names">Names without ".gz".</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">None of the names is there.</exception>
    public static string Find(string folder, string meaning, params ReadOnlySpan<string> names)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"{meaning}: there is no folder {folder}");
        foreach (var name in names)
        {
            foreach (var ending in (ReadOnlySpan<string>)["", ".gz"])
            {
                var path = Path.Combine(folder, name + ending);
                if (File.Exists(path)) return path;
            }
        }

        throw new FileNotFoundException($"{meaning}: {folder} holds none of {string.Join(", ", names.ToArray())}, plain or with .gz");
    }
}
