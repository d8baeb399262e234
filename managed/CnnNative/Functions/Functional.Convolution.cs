using CnnNative.Autograd;
using CnnNative.Engines;

namespace CnnNative;

/// <summary>Operations on tensors, with gradients. Named and defined as PyTorch's of the same name.</summary>
public static partial class Functional
{
    /// <summary>
    /// Two-dimensional convolution (cross-correlation):
    /// y[n, k, p, q] = bias[k] + sum over c, r, s of w[k, c, r, s] * x[n, c, p * stride + r * dilation - padding, ...].
    /// </summary>
    /// <param name="x">Input (N, C, H, W).</param>
    /// <param name="weight">Filters (K, C / groups, R, S).</param>
    /// <param name="bias">One number per filter (K), or null.</param>
    /// <param name="stride">Step of the window; 1 if null.</param>
    /// <param name="padding">Rows and columns around the image.</param>
    /// <param name="dilation">Distance of filter taps; 1 if null.</param>
    /// <param name="groups">Groups of channels that do not see each other.</param>
    /// <param name="paddingMode">What the padding holds.</param>
    /// <param name="activation">A function applied to the result within the same operation.</param>
    /// <returns>(N, K, P, Q) in the layout of x, with P = (H + top + bottom - dilation * (R - 1) - 1) / stride + 1.</returns>
    /// <exception cref="ShapeException">Shapes, groups, stride or padding do not fit; the filter is larger than the padded input.</exception>
    /// <exception cref="DTypeException">Filters or bias are not of the type of x.</exception>
    public static Tensor Conv2d(
        Tensor x, Tensor weight, Tensor? bias = null, Pair? stride = null, Padding padding = default, Pair? dilation = null,
        int groups = 1, PaddingMode paddingMode = PaddingMode.Zeros, ActivationKind activation = ActivationKind.Identity)
    {
        var problem = ConvolutionProblems.Create(x, weight, bias, stride ?? 1, padding, dilation ?? 1, groups, paddingMode);
        var engine = x.Device.Engine;
        var y = Tensor.Empty(problem.OutputShape, x.DType, x.Device, x.Layout);
        engine.Convolution.Forward(problem, x, weight, bias, activation, y);
        return Tape.Record("Conv2d", y, [x, weight, bias], (gradient, needs) =>
        {
            var db = needs[2] ? EmptyLike(bias!) : null;
            using var dy = BeforeActivation(activation, y, gradient, db);
            var dx = needs[0] ? EmptyLike(x) : null;
            var dw = needs[1] ? EmptyLike(weight) : null;
            if (dx is not null) engine.Convolution.BackwardData(problem, dy, weight, dx);
            if (dw is not null) engine.Convolution.BackwardWeight(problem, x, dy, dw);
            return [dx, dw, db];
        });
    }

    private static Tensor EmptyLike(Tensor tensor) => Tensor.Empty(tensor.Shape, tensor.DType, tensor.Device, tensor.Layout);

    /// <summary>The gradient before a fused activation, as a tensor of the caller's own, and by the bias, if db is there.</summary>
    private static Tensor BeforeActivation(ActivationKind activation, Tensor y, Tensor gradient, Tensor? db)
    {
        if (activation == ActivationKind.Identity)
        {
            if (db is not null) BiasGradient.Sum(gradient, db);
            return gradient.Alias();
        }

        var dy = EmptyLike(y);
        if (db is null) y.Device.Engine.Activation.Backward(activation, y, gradient, dy);
        else y.Device.Engine.Activation.BackwardWithBias(activation, y, gradient, dy, db);
        return dy;
    }
}
