using System.Runtime.InteropServices;
using CnnNative.Engines;

namespace CnnNative.Optimizers;

/// <summary>
/// Stochastic gradient descent as PyTorch defines it: g = gradient + decay * w; v = momentum * v + (1 - dampening) * g (v = g at first);
/// w -= rate * v, or with Nesterov w -= rate * (g + momentum * v) (Sutskever et al., 2013).
/// </summary>
public sealed class Sgd : Optimizer
{
    private readonly Tensor?[] velocities;
    private readonly List<SgdSlot> starting = [], moving = [];
    private readonly float momentum, dampening, weightDecay;
    private readonly bool nesterov;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameters">What to train.</param>
    /// <param name="learningRate">Step size.</param>
    /// <param name="momentum">Share of the old direction kept.</param>
    /// <param name="dampening">Share of the gradient left out of the momentum.</param>
    /// <param name="weightDecay">Multiple of the parameter added to its gradient.</param>
    /// <param name="nesterov">Whether to look ahead along the momentum; needs momentum and no dampening.</param>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public Sgd(
        IEnumerable<Tensor> parameters, float learningRate, float momentum = 0f, float dampening = 0f, float weightDecay = 0f, bool nesterov = false)
        : base(parameters, learningRate)
    {
        this.momentum = NotNegative(momentum, nameof(momentum));
        this.dampening = dampening;
        this.weightDecay = NotNegative(weightDecay, nameof(weightDecay));
        this.nesterov = nesterov;
        if (nesterov && (momentum == 0 || dampening != 0))
            throw new ArgumentException($"Sgd: Nesterov needs momentum and no dampening; they are {momentum} and {dampening}");
        velocities = new Tensor?[Parameters.Count];
    }

    /// <inheritdoc/>
    public override OrderedDictionary<string, Tensor> StateDict()
    {
        var state = new OrderedDictionary<string, Tensor>();
        for (var i = 0; i < velocities.Length; i++)
        {
            if (velocities[i] is { } velocity) state.Add($"{i}.momentum", velocity);
        }

        return state;
    }

    /// <inheritdoc/>
    public override void LoadStateDict(IReadOnlyDictionary<string, Tensor> state) =>
        Load(state, (index, slot) => slot == "momentum" ? velocities[index] ??= ZerosLike(Parameters[index]) : null);

    private protected override void Update()
    {
        // Parameters that get their first gradient start their momentum with it; the others go on.
        for (var i = 0; i < velocities.Length; i++)
        {
            if (Parameters[i].Grad is not { } gradient) continue;
            var isFirst = momentum != 0 && velocities[i] is null;
            if (isFirst) velocities[i] = ZerosLike(Parameters[i]);
            (isFirst ? starting : moving).Add(new SgdSlot(Parameters[i], gradient, velocities[i]));
        }

        Run(starting, isFirst: true);
        Run(moving, isFirst: false);
    }

    private void Run(List<SgdSlot> slots, bool isFirst)
    {
        if (slots.Count == 0) return;
        var settings = new SgdSettings(LearningRate, momentum, dampening, weightDecay, nesterov, isFirst);
        var device = slots[0].Parameter.Device;
        using (RecorderOf(device)?.OpenCall(() => new(LearningRate, 0))) device.Engine.Optimizer.Sgd(CollectionsMarshal.AsSpan(slots), settings);
        slots.Clear();
    }
}
