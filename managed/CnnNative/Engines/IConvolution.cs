namespace CnnNative.Engines;

/// <summary>Two-dimensional convolution (cross-correlation, as in every deep-learning library) and its gradients.</summary>
public interface IConvolution
{
    /// <summary>y = activation(x * w + bias).</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="x">Input (N, C, H, W).</param>
    /// <param name="w">Filters (K, C / groups, R, S).</param>
    /// <param name="bias">One number per filter (K), or null.</param>
    /// <param name="activation">Applied to the result; <see cref="ActivationKind.Identity"/> for none.</param>
    /// <param name="y">Output (N, K, P, Q), overwritten.</param>
    void Forward(in ConvolutionProblem problem, Tensor x, Tensor w, Tensor? bias, ActivationKind activation, Tensor y);

    /// <summary>Gradient by the input.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="dy">Gradient by the output (N, K, P, Q).</param>
    /// <param name="w">Filters.</param>
    /// <param name="dx">Gradient by the input (N, C, H, W), overwritten.</param>
    void BackwardData(in ConvolutionProblem problem, Tensor dy, Tensor w, Tensor dx);

    /// <summary>Gradient by the filters.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="x">Input.</param>
    /// <param name="dy">Gradient by the output.</param>
    /// <param name="dw">Gradient by the filters (K, C / groups, R, S), overwritten.</param>
    void BackwardWeight(in ConvolutionProblem problem, Tensor x, Tensor dy, Tensor dw);

    /// <summary>Gradient by the bias: dy summed over images and pixels.</summary>
    /// <param name="dy">Gradient by the output (N, K, P, Q).</param>
    /// <param name="db">Gradient by the bias (K), overwritten.</param>
    void BackwardBias(Tensor dy, Tensor db);
}
