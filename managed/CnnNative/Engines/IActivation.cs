namespace CnnNative.Engines;

/// <summary>Activations and softmax, with gradients that need only the output.</summary>
public interface IActivation
{
    /// <summary>y = f(x); y may be x.</summary>
    /// <param name="kind">The function.</param>
    /// <param name="x">Input.</param>
    /// <param name="y">Output.</param>
    void Forward(ActivationKind kind, Tensor x, Tensor y);

    /// <summary>dx = dy * f'(x), computed from y = f(x); dx may be dy.</summary>
    /// <param name="kind">The function.</param>
    /// <param name="y">Output of the forward pass.</param>
    /// <param name="dy">Gradient by the output.</param>
    /// <param name="dx">Gradient by the input.</param>
    void Backward(ActivationKind kind, Tensor y, Tensor dy, Tensor dx);

    /// <summary>
    /// <see cref="Backward"/>, and the sum of dx over everything but the channels: the gradients before an activation and by the bias in front of it.
    /// An engine that does both in one pass says how.
    /// </summary>
    /// <param name="kind">The function.</param>
    /// <param name="y">Output of the forward pass, (N, C, ...).</param>
    /// <param name="dy">Gradient by the output.</param>
    /// <param name="dx">Gradient by the input.</param>
    /// <param name="db">Gradient by the bias (C), overwritten.</param>
    void BackwardWithBias(ActivationKind kind, Tensor y, Tensor dy, Tensor dx, Tensor db)
    {
        Backward(kind, y, dy, dx);
        BiasGradient.Sum(dx, db);
    }

    /// <summary>Softmax or its logarithm along one axis, computed after subtracting the maximum.</summary>
    /// <param name="x">Input.</param>
    /// <param name="axis">The axis, from 0.</param>
    /// <param name="logarithm">Whether y is the logarithm of the softmax.</param>
    /// <param name="y">Output.</param>
    void SoftmaxForward(Tensor x, int axis, bool logarithm, Tensor y);

    /// <summary>Gradient of softmax, y * (dy - sum(dy * y)), or of its logarithm, dy - exp(y) * sum(dy), along one axis.</summary>
    /// <param name="y">Output of the forward pass.</param>
    /// <param name="dy">Gradient by the output.</param>
    /// <param name="axis">The axis, from 0.</param>
    /// <param name="logarithm">Whether y is the logarithm of the softmax.</param>
    /// <param name="dx">Gradient by the input.</param>
    void SoftmaxBackward(Tensor y, Tensor dy, int axis, bool logarithm, Tensor dx);
}
