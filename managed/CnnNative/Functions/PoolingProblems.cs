using CnnNative.Engines;

namespace CnnNative;

/// <summary>Builds the pooling problems that engines solve from what a user gives, and refuses what makes no sense.</summary>
internal static class PoolingProblems
{
    public static PoolingProblem Create(
        string operation, Tensor x, Pair kernel, Pair stride, Pair padding, Pair dilation, bool ceilMode, bool countIncludePad)
    {
        Require.Rank(operation, nameof(x), x, 4, "(N, C, H, W)");
        Require.Computable(operation, x);
        if (kernel.H < 1 || kernel.W < 1) throw new ShapeException(operation, $"window {kernel} must be at least 1");
        if (stride.H < 1 || stride.W < 1) throw new ShapeException(operation, $"stride {stride} must be at least 1");
        if (dilation.H < 1 || dilation.W < 1) throw new ShapeException(operation, $"dilation {dilation} must be at least 1");
        if (padding.H < 0 || padding.W < 0 || padding.H > kernel.H / 2 || padding.W > kernel.W / 2)
            throw new ShapeException(operation, $"padding {padding} must be between 0 and half the window {kernel}");

        var (h, w) = (x.Shape[2], x.Shape[3]);
        long windowH = (long)dilation.H * (kernel.H - 1) + 1, windowW = (long)dilation.W * (kernel.W - 1) + 1;
        if (windowH > h + 2L * padding.H || windowW > w + 2L * padding.W)
            throw new ShapeException(operation, $"the window spans ({windowH}, {windowW}), more than the padded input ({h + 2L * padding.H}, {w + 2L * padding.W})");

        return new PoolingProblem
        {
            N = x.Shape[0], C = x.Shape[1], H = h, W = w, R = kernel.H, S = kernel.W,
            PadH = padding.H, PadW = padding.W, StrideH = stride.H, StrideW = stride.W,
            DilationH = dilation.H, DilationW = dilation.W, CeilMode = ceilMode, CountIncludePad = countIncludePad,
        };
    }

    public static AdaptivePoolingProblem CreateAdaptive(string operation, Tensor x, Pair output)
    {
        Require.Rank(operation, nameof(x), x, 4, "(N, C, H, W)");
        Require.Computable(operation, x);
        if (output.H < 1 || output.W < 1) throw new ShapeException(operation, $"output {output} must be at least 1");
        if (x.Shape[2] < 1 || x.Shape[3] < 1) throw new ShapeException(operation, $"x has shape {x.Shape}, expected at least one row and one column");
        return new AdaptivePoolingProblem { N = x.Shape[0], C = x.Shape[1], H = x.Shape[2], W = x.Shape[3], P = output.H, Q = output.W };
    }
}
