using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CnnNative.Cli.Json;

namespace CnnNative.Cli.Bench;

/// <summary>
/// Another program that measures the same workloads on the same GPU, in turns with this one. It reads one JSON object per line from its
/// standard input, <c>{"name": ..., "check": false}</c>, and answers each with one on standard output, <c>{"microseconds": ..., "error": ...}</c>;
/// its first line says what it is: <c>{"program": ...}</c>. A workload that it was asked for last may be kept set up.
/// </summary>
internal sealed class Peer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Process process;
    private readonly BlockingCollection<string> lines = [];
    private readonly string command;

    /// <summary>Starts the program and lets it say what it is.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <exception cref="UsageException">It cannot be started, or says something else.</exception>
    public Peer(IReadOnlyList<string> command)
    {
        this.command = string.Join(' ', command);
        try
        {
            process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        }
        catch (Win32Exception error)
        {
            throw new UsageException($"--peer {this.command} cannot be started: {error.Message}");
        }

        process.OutputDataReceived += (_, line) => Receive(line.Data);
        process.BeginOutputReadLine();
        try
        {
            Program = Read(PeerContext.Default.PeerHello, "its name").Program ?? throw new UsageException($"--peer {this.command} does not say what it is");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What it is, with versions.</summary>
    public string Program { get; }

    /// <summary>Lets it do a workload: a round of samples, or once with one image.</summary>
    /// <param name="workload">Name of the workload.</param>
    /// <param name="check">Whether to do it only once, without timing.</param>
    /// <exception cref="UsageException">It ended, or says something that is no answer.</exception>
    public PeerAnswer Ask(string workload, bool check = false)
    {
        try
        {
            process.StandardInput.WriteLine(JsonSerializer.Serialize(new PeerRequest(workload, check), PeerContext.Default.PeerRequest));
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended; what it said before that tells more.
        }

        var answer = Read(PeerContext.Default.PeerAnswer, workload);
        return check || answer.Error is not null || answer.Microseconds > 0 ? answer : throw new UsageException($"--peer {command}: no time for {workload} in its answer");
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        // Its output has come to an end when this returns, so that nothing is added any more.
        process.WaitForExit();
        process.Dispose();
        lines.Dispose();
    }

    private void Receive(string? line)
    {
        if (line is null) lines.CompleteAdding();
        else lines.Add(line);
    }

    private T Read<T>(JsonTypeInfo<T> type, string what)
    {
        if (!lines.TryTake(out var line, Patience))
            throw new UsageException($"--peer {command}: {(lines.IsCompleted ? "it ended" : $"{Patience.TotalMinutes:F0} minutes passed")} without {what}");
        try
        {
            return JsonSerializer.Deserialize(line, type) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new UsageException($"--peer {command}: '{line}' is no answer to {what}");
        }
    }
}
