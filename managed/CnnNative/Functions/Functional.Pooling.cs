using CnnNative.Autograd;

namespace CnnNative;

public static partial class Functional
{
    /// <summary>The largest element of each window.</summary>
    /// <param name="x">Input (N, C, H, W).</param>
    /// <param name="kernel">Window size.</param>
    /// <param name="stride">Step of the window; the window size if null.</param>
    /// <param name="padding">Rows and columns that are never picked, at most half the window.</param>
    /// <param name="dilation">Distance within the window; 1 if null.</param>
    /// <param name="ceilMode">Whether a last window may hang over the edge.</param>
    /// <returns>(N, C, P, Q) in the layout of x.</returns>
    /// <exception cref="ShapeException">The window does not fit the padded input, or the padding exceeds half the window.</exception>
    public static Tensor MaxPool2d(Tensor x, Pair kernel, Pair? stride = null, Pair padding = default, Pair? dilation = null, bool ceilMode = false)
    {
        var problem = PoolingProblems.Create("MaxPool2d", x, kernel, stride ?? kernel, padding, dilation ?? 1, ceilMode, countIncludePad: true);
        var engine = x.Device.Engine;
        var y = Tensor.Empty(problem.OutputShape, x.DType, x.Device, x.Layout);
        var positions = Tape.Records(x) ? Tensor.Empty(problem.OutputShape, problem.ArgumentType, x.Device, x.Layout) : null;
        engine.Pooling.MaxForward(problem, x, y, positions);
        return Tape.Record("MaxPool2d", y, [x], (dy, _) =>
        {
            var dx = EmptyLike(x);
            engine.Pooling.MaxBackward(problem, dy, positions!, dx);
            return [dx];
        });
    }

    /// <summary>The mean of each window.</summary>
    /// <param name="x">Input (N, C, H, W).</param>
    /// <param name="kernel">Window size.</param>
    /// <param name="stride">Step of the window; the window size if null.</param>
    /// <param name="padding">Rows and columns of zeros, at most half the window.</param>
    /// <param name="ceilMode">Whether a last window may hang over the edge.</param>
    /// <param name="countIncludePad">Whether padded zeros count in the divisor.</param>
    /// <returns>(N, C, P, Q) in the layout of x.</returns>
    /// <exception cref="ShapeException">The window does not fit the padded input, or the padding exceeds half the window.</exception>
    public static Tensor AvgPool2d(Tensor x, Pair kernel, Pair? stride = null, Pair padding = default, bool ceilMode = false, bool countIncludePad = true)
    {
        var problem = PoolingProblems.Create("AvgPool2d", x, kernel, stride ?? kernel, padding, 1, ceilMode, countIncludePad);
        var engine = x.Device.Engine;
        var y = Tensor.Empty(problem.OutputShape, x.DType, x.Device, x.Layout);
        engine.Pooling.AverageForward(problem, x, y);
        return Tape.Record("AvgPool2d", y, [x], (dy, _) =>
        {
            var dx = EmptyLike(x);
            engine.Pooling.AverageBackward(problem, dy, dx);
            return [dx];
        });
    }
}
