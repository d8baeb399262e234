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

    /// <summary>
    /// The mean of windows that are fitted to a size of the output: output row p is the mean over the input rows floor(p H / P) up to, not
    /// including, ceil((p + 1) H / P), columns likewise, as in PyTorch's AdaptiveAvgPool2d.
    /// </summary>
    /// <param name="x">Input (N, C, H, W); H and W are at least 1.</param>
    /// <param name="output">Size (P, Q) of the output, at least 1; it may exceed the input's.</param>
    /// <returns>(N, C, P, Q) in the layout of x; it shares the memory of x where that has this size already.</returns>
    /// <exception cref="ShapeException">x has no rows or no columns, or the output's size is below 1.</exception>
    public static Tensor AdaptiveAvgPool2d(Tensor x, Pair output) => AdaptiveAverage("AdaptiveAvgPool2d", x, output);

    /// <summary>The mean of each channel of each image (Lin, Chen and Yan, "Network In Network", 2014, section 3.2).</summary>
    /// <param name="x">Input (N, C, H, W); H and W are at least 1.</param>
    /// <returns>(N, C, 1, 1) in the layout of x; it shares the memory of x where that has this size already.</returns>
    /// <exception cref="ShapeException">x has no rows or no columns.</exception>
    public static Tensor GlobalAvgPool2d(Tensor x) => AdaptiveAverage("GlobalAvgPool2d", x, 1);

    private static Tensor AdaptiveAverage(string operation, Tensor x, Pair output)
    {
        var problem = PoolingProblems.CreateAdaptive(operation, x, output);
        if (problem.OutputShape == problem.InputShape) return x.ToLayout(x.Layout);
        var engine = x.Device.Engine;
        var y = Tensor.Empty(problem.OutputShape, x.DType, x.Device, x.Layout);
        engine.Pooling.AdaptiveAverageForward(problem, x, y);
        return Tape.Record(operation, y, [x], (dy, _) =>
        {
            var dx = EmptyLike(x);
            engine.Pooling.AdaptiveAverageBackward(problem, dy, dx);
            return [dx];
        });
    }
}
