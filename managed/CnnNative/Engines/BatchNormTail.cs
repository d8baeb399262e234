namespace CnnNative.Engines;

/// <summary>What stands behind a batch normalisation in the same operation: y = activation(bn(x) + residual). The default is nothing.</summary>
/// <param name="Residual">Added before the activation, of the shape, layout and type of x; null for nothing.</param>
/// <param name="Activation">Identity, ReLU or ReLU6.</param>
/// <param name="ForGradient">Whether a backward pass will follow.</param>
public readonly record struct BatchNormTail(Tensor? Residual = null, ActivationKind Activation = ActivationKind.Identity, bool ForGradient = false);

/// <summary>What the backward pass knows of a <see cref="BatchNormTail"/>. The default is nothing.</summary>
/// <param name="Activation">Its activation.</param>
/// <param name="Beta">Shift (C) of the forward pass, or null for 0.</param>
/// <param name="Decisions">What the forward pass returned.</param>
/// <param name="Dresidual">Gradient by the residual, overwritten; null if not wanted. With the identity it is dy itself and not asked for.</param>
public readonly record struct BatchNormGate(
    ActivationKind Activation = ActivationKind.Identity, Tensor? Beta = null, Tensor? Decisions = null, Tensor? Dresidual = null);
