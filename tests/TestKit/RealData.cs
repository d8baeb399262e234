using NUnit.Framework;

namespace CnnNative.TestKit;

/// <summary>Real data sets, which are not part of the project: the folder named by CNN_DATA, or ../shared/data beside the checkout.</summary>
public static class RealData
{
    /// <summary>The path of a folder of real data; skips the test, visibly, where it is absent.</summary>
    /// <param name="name">Folder, such as "mnist".</param>
    public static string Folder(string name)
    {
        foreach (var root in Roots())
        {
            var folder = Path.Combine(root, name);
            if (Directory.Exists(folder)) return folder;
        }

        Assert.Ignore($"real data '{name}' not found in {string.Join(" or ", Roots())}; set CNN_DATA");
        throw new InvalidOperationException("unreachable: Assert.Ignore throws");
    }

    private static IEnumerable<string> Roots()
    {
        if (Environment.GetEnvironmentVariable("CNN_DATA") is { Length: > 0 } chosen) yield return chosen;
        if (Checkout.Root is { } checkout) yield return Path.GetFullPath(Path.Combine(checkout, "..", "shared", "data"));
    }
}
