using CnnNative.Interop;

namespace CnnNative;

/// <summary>A step that one call runs: its kernels without the work of launching each. Holds the memory that it uses until it is disposed.</summary>
public sealed class CapturedStep : IDisposable
{
    private readonly StepRecorder recorder;
    private readonly CudaExecutableGraph graph;
    private readonly CudaStream stream;
    private bool disposed;

    internal CapturedStep(StepRecorder recorder, CudaExecutableGraph graph, CudaStream stream)
    {
        this.recorder = recorder;
        this.graph = graph;
        this.stream = stream;
    }

    /// <summary>Puts the whole step into the device's stream, with the random numbers, learning rates and step counts of now.</summary>
    /// <exception cref="ObjectDisposedException">The step was disposed.</exception>
    public void Replay()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        recorder.Advance();
        graph.Launch(stream);
    }

    /// <summary>Gives the memory back, after the replays that are still running.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        graph.Dispose();
        recorder.Dispose();
    }
}
