namespace CnnNative.TestKit;

/// <summary>The checkout that the tests were built from.</summary>
public static class Checkout
{
    /// <summary>Its root, known by the solution's shared settings; found from the sources' place, so that builds may lie elsewhere. Null if it is gone.</summary>
    public static string? Root { get; } = Find();

    private static string? Find([System.Runtime.CompilerServices.CallerFilePath] string source = "")
    {
        foreach (var start in new[] { source, AppContext.BaseDirectory })
        {
            for (var folder = Path.GetDirectoryName(start); folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "Directory.Packages.props"))) return folder;
            }
        }

        return null;
    }
}
