using System.Text.RegularExpressions;
using NUnit.Framework;

namespace CnnNative.Interop.Tests;

/// <summary>The source sets of the raw layer declare the same functions. A build compiles one of them, so that the sources are read.</summary>
[TestFixture]
public sealed partial class SourceSetTests
{
    [Test]
    public void Both_sets_declare_the_same_functions_in_the_same_order()
    {
        var bundled = Functions("Bundled");
        Assert.That(bundled, Has.Length.GreaterThan(50));
        Assert.That(Functions("ManagedCuda"), Is.EqualTo(bundled));
    }

    [Test]
    public void What_is_shared_stands_in_no_set()
    {
        var shared = Functions("Shared");
        Assert.That(shared, Has.Some.StartsWith("cuLaunchKernel("));
        Assert.That(shared.Intersect(Functions("Bundled")), Is.Empty);
    }

    /// <summary>"name(type name, ...)" of each function of Raw/{set}/Driver.cs.</summary>
    private static string[] Functions(string set)
    {
        using var source = new StreamReader(typeof(SourceSetTests).Assembly.GetManifestResourceStream($"raw/{set}")!);
        return [.. Function().Matches(source.ReadToEnd()).Select(match => Spaces().Replace($"{match.Groups["name"]}({match.Groups["parameters"].Value.Trim()})", " "))];
    }

    [GeneratedRegex(@"public static (partial )?CudaStatus (?<name>\w+)\((?<parameters>[^)]*)\)")]
    private static partial Regex Function();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
