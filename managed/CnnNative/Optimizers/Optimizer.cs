namespace CnnNative.Optimizers;

/// <summary>
/// Changes parameters along their gradients. Parameters whose gradient is null are left alone.
/// The state (step counts, momentum) is kept by parameter and saved by checkpoints. Parameters may be of 16 bits where the engine computes
/// with such: arithmetic and state are Float32 all the same, and a parameter is rounded once, to nearest even, when it is stored.
/// </summary>
public abstract class Optimizer : IDisposable
{
    private readonly Tensor[] parameters;

    private protected Optimizer(IEnumerable<Tensor> parameters, float learningRate)
    {
        this.parameters = [.. parameters];
        if (this.parameters.Length == 0) throw new ArgumentException("Optimizer: there are no parameters to train");
        foreach (var parameter in this.parameters) Require.Computable(GetType().Name, parameter);
        LearningRate = learningRate;
    }

    /// <summary>Step size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Set to a negative number or NaN.</exception>
    public float LearningRate
    {
        get;
        set => field = NotNegative(value, nameof(LearningRate));
    }

    /// <summary>The parameters, in the order given.</summary>
    public IReadOnlyList<Tensor> Parameters => parameters;

    /// <summary>Changes every parameter that has a gradient.</summary>
    public void Step() => Update();

    /// <summary>Drops all gradients. Not needed where each step has a scope: the gradients go with it.</summary>
    public void ZeroGrad()
    {
        foreach (var parameter in parameters) parameter.ZeroGrad();
    }

    /// <summary>The state by name, such as "0.momentum" for the first parameter. The tensors are the optimizer's own, not copies.</summary>
    public abstract OrderedDictionary<string, Tensor> StateDict();

    /// <summary>Copies a state into this optimizer.</summary>
    /// <param name="state">What <see cref="StateDict"/> gave.</param>
    /// <exception cref="StateDictException">A name or a shape does not fit.</exception>
    public abstract void LoadStateDict(IReadOnlyDictionary<string, Tensor> state);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the state.</summary>
    /// <param name="disposing">Always true: optimizers have no finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
        foreach (var tensor in StateDict().Values) tensor.Dispose();
    }

    /// <summary>Changes every parameter that has a gradient. It speaks to the engine, so no gradients are recorded.</summary>
    private protected abstract void Update();

    /// <summary>What records a call on this device; null where nothing is captured.</summary>
    private protected static StepRecorder? RecorderOf(Device device) => (device as CudaDevice)?.Recorder;

    private protected static float NotNegative(float value, string name) =>
        value >= 0 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} must not be negative");

    private protected static float Share(float value, string name) =>
        value >= 0 && value < 1 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} must be at least 0 and below 1");

    /// <summary>A tensor of zeros like the parameter, which no scope owns.</summary>
    private protected static Tensor ZerosLike(Tensor parameter)
    {
        using var scope = Scope.Unowned();
        return Tensor.Zeros(parameter.Shape, parameter.Device);
    }

    /// <summary>Entries whose names are "index.slot": copies each into the tensor that <paramref name="target"/> gives for it.</summary>
    private protected void Load(IReadOnlyDictionary<string, Tensor> state, Func<int, string, Tensor?> target)
    {
        foreach (var (key, source) in state)
        {
            var parts = key.Split('.', 2);
            var place = parts.Length == 2 && int.TryParse(parts[0], out var index) && index >= 0 && index < parameters.Length
                ? target(index, parts[1])
                : null;
            if (place is null) throw new StateDictException($"{GetType().Name}: the state has an entry '{key}' that this optimizer of {parameters.Length} parameters does not know");
            if (place.Shape != source.Shape || place.DType != source.DType)
                throw new StateDictException($"{GetType().Name}: {key} holds {source.Shape} {source.DType}, expected {place.Shape} {place.DType}");
            place.CopyFrom(source);
        }
    }
}
