using CnnNative.Optimizers;

namespace CnnNative.Training;

/// <summary>Which optimizer, with which settings: what a checkpoint needs to know to make the same one again.</summary>
/// <param name="Kind">SGD or Adam.</param>
/// <param name="LearningRate">Step size.</param>
/// <param name="Momentum">Share of the old direction that SGD keeps; Adam has none.</param>
/// <param name="WeightDecay">Multiple of each parameter that is added to its gradient.</param>
public sealed record OptimizerSettings(OptimizerKind Kind, float LearningRate, float Momentum = 0f, float WeightDecay = 0f)
{
    /// <summary>Makes the optimizer.</summary>
    /// <param name="parameters">What to train.</param>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public Optimizer Create(IEnumerable<Tensor> parameters) => Kind switch
    {
        OptimizerKind.Sgd => new Sgd(parameters, LearningRate, Momentum, weightDecay: WeightDecay),
        OptimizerKind.Adam => new Adam(parameters, LearningRate, weightDecay: WeightDecay),
        _ => throw new InvalidOperationException($"unknown optimizer {Kind}"),
    };

    /// <summary>Such as "sgd, learning rate 0.05, momentum 0.9".</summary>
    public override string ToString() =>
        $"{Kind.ToString().ToLowerInvariant()}, learning rate {LearningRate}"
        + (Momentum == 0 ? "" : $", momentum {Momentum}") + (WeightDecay == 0 ? "" : $", weight decay {WeightDecay}");
}

/// <summary>The optimizers that a checkpoint can name.</summary>
public enum OptimizerKind
{
    /// <summary>Stochastic gradient descent, with momentum: <see cref="CnnNative.Optimizers.Sgd"/>.</summary>
    Sgd,

    /// <summary>Adam: <see cref="CnnNative.Optimizers.Adam"/>.</summary>
    Adam,
}
