using CnnNative.Engines;

namespace CnnNative.Layers;

/// <summary>An elementwise activation, the body of <see cref="ReLU"/>, <see cref="ReLU6"/>, <see cref="Sigmoid"/> and <see cref="Tanh"/>.</summary>
public abstract class Activation : Module
{
    private protected Activation(ActivationKind kind) => Kind = kind;

    /// <summary>The function.</summary>
    public ActivationKind Kind { get; }

    /// <summary>The function, such as Relu().</summary>
    public override string ToString() => $"{GetType().Name}()";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.Activate(Kind, x);
}

/// <summary>max(x, 0).</summary>
public sealed class ReLU() : Activation(ActivationKind.Relu);

/// <summary>min(max(x, 0), 6).</summary>
public sealed class ReLU6() : Activation(ActivationKind.Relu6);

/// <summary>1 / (1 + exp(-x)).</summary>
public sealed class Sigmoid() : Activation(ActivationKind.Sigmoid);

/// <summary>The hyperbolic tangent.</summary>
public sealed class Tanh() : Activation(ActivationKind.Tanh);
