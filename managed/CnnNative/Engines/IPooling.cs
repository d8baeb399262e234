namespace CnnNative.Engines;

/// <summary>Two-dimensional pooling and its gradients.</summary>
public interface IPooling
{
    /// <summary>y = the largest element of each window; NaN if the window holds one. Of equal elements the first in row-major order counts.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="x">Input (N, C, H, W).</param>
    /// <param name="y">Output (N, C, P, Q), overwritten.</param>
    /// <param name="positions">Position of each maximum in its window, of type <see cref="PoolingProblem.ArgumentType"/>, overwritten; null if no gradient will be asked for.</param>
    void MaxForward(in PoolingProblem problem, Tensor x, Tensor y, Tensor? positions);

    /// <summary>Gradient of the maximum by the input: each dy is added where the maximum was.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="dy">Gradient by the output.</param>
    /// <param name="positions">What the forward pass stored.</param>
    /// <param name="dx">Gradient by the input, overwritten.</param>
    void MaxBackward(in PoolingProblem problem, Tensor dy, Tensor positions, Tensor dx);

    /// <summary>y = the mean of each window.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="x">Input.</param>
    /// <param name="y">Output, overwritten.</param>
    void AverageForward(in PoolingProblem problem, Tensor x, Tensor y);

    /// <summary>Gradient of the mean by the input.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="dy">Gradient by the output.</param>
    /// <param name="dx">Gradient by the input, overwritten.</param>
    void AverageBackward(in PoolingProblem problem, Tensor dy, Tensor dx);

    /// <summary>y = the mean of each window, of windows that are fitted to the output's size.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="x">Input (N, C, H, W).</param>
    /// <param name="y">Output (N, C, P, Q), overwritten.</param>
    void AdaptiveAverageForward(in AdaptivePoolingProblem problem, Tensor x, Tensor y);

    /// <summary>Gradient of that mean by the input.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="dy">Gradient by the output.</param>
    /// <param name="dx">Gradient by the input, overwritten.</param>
    void AdaptiveAverageBackward(in AdaptivePoolingProblem problem, Tensor dy, Tensor dx);
}
