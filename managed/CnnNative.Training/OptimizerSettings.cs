using CnnNative.Optimizers;

namespace CnnNative.Training;

/// <summary>Which optimizer, with which settings: what a checkpoint needs to know to make the same one again.</summary>
/// <param name="Kind">SGD or Adam.</param>
/// <param name="LearningRate">Step size, at first.</param>
/// <param name="Momentum">Share of the old direction that SGD keeps; Adam has none.</param>
/// <param name="WeightDecay">Multiple of each parameter that is added to its gradient.</param>
/// <param name="RateDecay">How fast the step size shrinks: see <see cref="RateAt"/>; 0 keeps it.</param>
/// <param name="ClipNorm">The largest norm of all gradients together, to which they are scaled: see <see cref="GradientClipping"/>; 0 for no limit.</param>
public sealed record OptimizerSettings(
    OptimizerKind Kind, float LearningRate, float Momentum = 0f, float WeightDecay = 0f, float RateDecay = 0f, float ClipNorm = 0f)
{
    /// <summary>
    /// The step size after some steps: rate / (1 + decay * steps) (Robbins and Monro, 1951; Bottou, 2012). It depends on no
    /// length of the training, so that a training that is prolonged is the same as one that was long from the beginning.
    /// </summary>
    /// <param name="steps">Steps done.</param>
    public float RateAt(long steps) => (float)(LearningRate / (1.0 + (double)RateDecay * steps));

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
        + (RateDecay == 0 ? "" : $" / (1 + {RateDecay} x step)")
        + (Momentum == 0 ? "" : $", momentum {Momentum}") + (WeightDecay == 0 ? "" : $", weight decay {WeightDecay}")
        + (ClipNorm == 0 ? "" : $", gradients clipped to {ClipNorm}");
}

/// <summary>The optimizers that a checkpoint can name.</summary>
public enum OptimizerKind
{
    /// <summary>Stochastic gradient descent, with momentum: <see cref="CnnNative.Optimizers.Sgd"/>.</summary>
    Sgd,

    /// <summary>Adam: <see cref="CnnNative.Optimizers.Adam"/>.</summary>
    Adam,
}
