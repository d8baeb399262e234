using CnnNative.Engines;

namespace CnnNative;

/// <summary>
/// Where tensors live and where work on them runs: a memory pool, an engine, and a source of random numbers.
/// There is no current device; a tensor knows its own.
/// </summary>
public abstract class Device : IDisposable
{
    private static readonly Lazy<DeviceChoice> Chosen = new(() =>
    {
        var choice = DeviceChoice.Best();
        choice.Device.IsShared = true;
        return choice;
    });

    private protected Device(string name, IMemoryBackend memory)
    {
        Name = name;
        Memory = new MemoryPool(memory);
    }

    /// <summary>
    /// The device that a program gets that does not choose: the first GPU if there is a usable one, else the CPU with one
    /// thread per core. Shared; disposing it only gives its cached memory back.
    /// </summary>
    public static Device Default => DefaultChoice.Device;

    /// <summary><see cref="Default"/>, and why it is that one.</summary>
    public static DeviceChoice DefaultChoice => Chosen.Value;

    /// <summary>Name, such as "cpu".</summary>
    public string Name { get; }

    /// <summary>The memory pool and its statistics.</summary>
    public MemoryPool Memory { get; }

    /// <summary>Whether the device belongs to the whole process, so that disposing it leaves it usable.</summary>
    private protected bool IsShared { get; set; }

    /// <summary>What computes on this device.</summary>
    public abstract Engine Engine { get; }

    /// <summary>The random numbers of this device: initial weights, dropout, random tensors.</summary>
    public Generator Random { get; } = new(seed: 0);

    /// <summary>
    /// Opens a scope: every tensor that is made on this device inside it, gradients included, is returned to the pool at
    /// its end, unless it was kept with <see cref="Tensor.Keep"/>.
    /// </summary>
    public Scope Step() => new(this, recordsGradients: true);

    /// <summary>Opens a scope like <see cref="Step"/> in which no gradients are recorded.</summary>
    public Scope Inference() => new(this, recordsGradients: false);

    /// <summary>Whether <see cref="Capture"/> works here.</summary>
    public virtual bool CanCapture => false;

    /// <summary>
    /// Runs a step once, and records it as a CUDA graph that <see cref="CapturedStep.Replay"/> then runs with one call. The step may
    /// use tensors made before, whose elements may change between replays; what it makes itself is gone at its end, so results
    /// go into tensors made before (<see cref="Tensor.CopyFrom(Tensor)"/>). It must not read results or copy from the host. Random
    /// numbers, learning rates and step counts go on from replay to replay as they would without the graph.
    /// </summary>
    /// <param name="step">The step; called twice, the second time only to be recorded.</param>
    /// <exception cref="EngineNotSupportedException">The device has no graphs.</exception>
    public virtual CapturedStep Capture(Action step) => throw new EngineNotSupportedException(Engine.Name, "Capture", "captured steps");

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives cached memory back, and whatever else the device holds.</summary>
    /// <param name="disposing">Always true: devices have no finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (IsShared) Memory.Trim();
        else Memory.FreeCached();
    }

    /// <summary>Copies host bytes into device memory.</summary>
    internal abstract void Write(Storage target, long byteOffset, ReadOnlySpan<byte> source);

    /// <summary>Copies device memory into host bytes, after all work that writes it.</summary>
    internal abstract void Read(Storage source, long byteOffset, Span<byte> target);
}
