using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace CnnNative.Cli.Tests;

/// <summary>What a run of the program left.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public string[] OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>The real program, run as a process with redirected output, in a folder of its own.</summary>
internal sealed partial class CnnProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly Process process;
    private readonly StringBuilder output = new(), error = new();

    private CnnProcess(string folder, string[] arguments, IReadOnlyDictionary<string, string>? variables)
    {
        // A test run in the background of a shell ignores Ctrl-C, and so would its children: env gives them the usual disposition back.
        var start = new ProcessStartInfo("env") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["--default-signal=INT,TERM", "dotnet", Path.Combine(AppContext.BaseDirectory, "cnn.dll"), .. arguments])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in variables ?? new Dictionary<string, string>()) start.Environment[name] = value;
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Starts the program.</summary>
    public static CnnProcess Start(string folder, params string[] arguments) => new(folder, arguments, null);

    /// <summary>Runs the program to its end.</summary>
    public static Outcome Run(string folder, string[] arguments, IReadOnlyDictionary<string, string>? variables = null)
    {
        using var running = new CnnProcess(folder, arguments, variables);
        return running.Wait();
    }

    /// <summary>Waits for the end.</summary>
    public Outcome Wait()
    {
        if (!process.WaitForExit(Patience)) throw new TimeoutException($"cnn did not end within {Patience}; so far:\n{output}\n{error}");
        process.WaitForExit();
        return new Outcome(process.ExitCode, output.ToString(), error.ToString());
    }

    /// <summary>Waits until a line of standard output matches.</summary>
    public void WaitFor(Func<string, bool> line)
    {
        var clock = Stopwatch.StartNew();
        while (!Lines().Any(line))
        {
            if (clock.Elapsed > Patience || process.HasExited) throw new TimeoutException($"cnn did not say what was expected; so far:\n{output}\n{error}");
            Thread.Sleep(20);
        }
    }

    /// <summary>Sends a signal, such as 2 for Ctrl-C.</summary>
    public void Signal(int number)
    {
        if (Kill(process.Id, number) != 0) throw new InvalidOperationException($"kill failed with {Marshal.GetLastPInvokeError()}");
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        process.Dispose();
    }

    private string[] Lines()
    {
        lock (output) return output.ToString().Split('\n');
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is null) return;
        lock (text) text.Append(line).Append('\n');
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
