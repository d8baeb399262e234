using System.Diagnostics;
using System.Text.RegularExpressions;
using CnnNative.TestKit;
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

    [Test]
    public void A_set_that_is_none_is_refused_by_the_build()
    {
        if (Checkout.Root is not { } root) return;
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var argument in (string[])["msbuild", Path.Combine(root, "managed", "CnnNative.Interop"), "-t:CheckCnnInterop", "-p:CnnInterop=foo", "-nodeReuse:false"])
            start.ArgumentList.Add(argument);
        using var build = Process.Start(start)!;
        var output = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        Assert.That(build.ExitCode, Is.Not.Zero);
        Assert.That(output, Does.Contain("CnnInterop is 'foo'; it must be bundled or managedcuda"));
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
