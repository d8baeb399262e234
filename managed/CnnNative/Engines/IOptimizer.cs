namespace CnnNative.Engines;

/// <summary>What one parameter brings to a step of stochastic gradient descent.</summary>
/// <param name="Parameter">The parameter, updated.</param>
/// <param name="Gradient">Its gradient, of the same shape and layout.</param>
/// <param name="Momentum">Its momentum buffer, updated; null without momentum.</param>
public readonly record struct SgdSlot(Tensor Parameter, Tensor Gradient, Tensor? Momentum);

/// <summary>Settings of a step of stochastic gradient descent.</summary>
/// <param name="LearningRate">Step size.</param>
/// <param name="Momentum">Share of the old direction kept.</param>
/// <param name="Dampening">Share of the gradient left out of the momentum, but for the first step.</param>
/// <param name="WeightDecay">Multiple of the parameter added to its gradient.</param>
/// <param name="Nesterov">Whether to look ahead along the momentum.</param>
/// <param name="First">Whether the momentum buffers are still empty: they then start as the gradient.</param>
public readonly record struct SgdSettings(
    float LearningRate, float Momentum, float Dampening, float WeightDecay, bool Nesterov, bool First);

/// <summary>What one parameter brings to a step of Adam.</summary>
/// <param name="Parameter">The parameter, updated.</param>
/// <param name="Gradient">Its gradient, of the same shape and layout.</param>
/// <param name="Mean">Running mean of the gradient, updated.</param>
/// <param name="Square">Running mean of its square, updated.</param>
public readonly record struct AdamSlot(Tensor Parameter, Tensor Gradient, Tensor Mean, Tensor Square);

/// <summary>Settings of a step of Adam (Kingma and Ba, 2015), in PyTorch's order of operations.</summary>
/// <param name="LearningRate">Step size.</param>
/// <param name="Beta1">Share of the old mean kept.</param>
/// <param name="Beta2">Share of the old square kept.</param>
/// <param name="Eps">Added to the root of the corrected square.</param>
/// <param name="WeightDecay">Multiple of the parameter added to its gradient.</param>
/// <param name="Step">Number of this step, from 1, for the bias corrections.</param>
public readonly record struct AdamSettings(float LearningRate, float Beta1, float Beta2, float Eps, float WeightDecay, long Step);

/// <summary>How the sizes of numbers are put together into one.</summary>
public enum NormOrder
{
    /// <summary>The sum of their absolute values.</summary>
    One,

    /// <summary>The root of the sum of their squares.</summary>
    Two,

    /// <summary>The largest absolute value.</summary>
    Infinity,
}

/// <summary>
/// Steps of optimisers, and clipping of gradients, over many parameters at once. A parameter and its gradient have one floating-point type;
/// arithmetic and state are Float32, and what is stored is rounded to nearest even.
/// </summary>
public interface IOptimizer
{
    /// <summary>One step of stochastic gradient descent, with PyTorch's meaning of momentum: v = m v + (1 - d) g; w -= lr v.</summary>
    /// <param name="slots">The parameters.</param>
    /// <param name="settings">The settings.</param>
    void Sgd(ReadOnlySpan<SgdSlot> slots, in SgdSettings settings);

    /// <summary>One step of Adam.</summary>
    /// <param name="slots">The parameters.</param>
    /// <param name="settings">The settings.</param>
    void Adam(ReadOnlySpan<AdamSlot> slots, in AdamSettings settings);

    /// <summary>The norm of all gradients as one vector, in an order of summation that depends on the sizes alone. NaN and infinity reach it.</summary>
    /// <param name="gradients">The gradients.</param>
    /// <param name="order">Which norm.</param>
    /// <param name="norm">A single element, overwritten.</param>
    void GradientNorm(ReadOnlySpan<Tensor> gradients, NormOrder order, Tensor norm);

    /// <summary>g = min(1, most / (norm + 1e-6)) g for every gradient.</summary>
    /// <param name="gradients">The gradients, updated.</param>
    /// <param name="norm">Their norm, a single element on the device.</param>
    /// <param name="most">The largest norm allowed.</param>
    void ScaleGradients(ReadOnlySpan<Tensor> gradients, Tensor norm, float most);

    /// <summary>g = min(max(g, -limit), limit) for every gradient; NaN stays.</summary>
    /// <param name="gradients">The gradients, updated.</param>
    /// <param name="limit">Largest absolute value allowed.</param>
    void ClampGradients(ReadOnlySpan<Tensor> gradients, float limit);
}
