using System.Text.Json;
using NUnit.Framework;

namespace CnnNative.Cli.Tests;

/// <summary>Base of the tests that run the program: each has a folder of its own, which is also the program's current one.</summary>
public abstract class CliFixture
{
    private DirectoryInfo? folder;

    /// <summary>The test's folder.</summary>
    protected string Folder => folder!.FullName;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("cnn-cli-");

    [TearDown]
    public void RemoveFolder()
    {
        folder!.Delete(recursive: true);
        Variables.Clear();
    }

    /// <summary>A file in the test's folder.</summary>
    protected string Under(string name) => Path.Combine(Folder, name);

    /// <summary>Environment variables of the program, for one test.</summary>
    protected Dictionary<string, string> Variables { get; } = [];

    private protected Outcome Cnn(params string[] arguments) => CnnProcess.Run(Folder, arguments, Variables);

    /// <summary>Runs a command that must succeed and report JSON, and nothing else.</summary>
    private protected JsonElement Json(params string[] arguments)
    {
        var outcome = Cnn([.. arguments, "--json"]);
        Assert.That((outcome.ExitCode, outcome.Error), Is.EqualTo((0, "")), outcome.Output);
        Assert.That(outcome.OutputLines, Has.Length.EqualTo(1));
        using var document = JsonDocument.Parse(outcome.OutputLines[0]);
        return document.RootElement.Clone();
    }

    /// <summary>Runs a command that must fail with one line on standard error and nothing on standard output.</summary>
    private protected string Fails(int exitCode, params string[] arguments)
    {
        var outcome = Cnn(arguments);
        Assert.That(outcome.ExitCode, Is.EqualTo(exitCode), outcome.Error);
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1), outcome.Error);
        Assert.That(outcome.Error, Does.StartWith("error: "));
        Assert.That(outcome.Output, Is.Empty);
        return outcome.ErrorLines[0];
    }
}
