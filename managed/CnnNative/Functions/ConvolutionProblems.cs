using CnnNative.Engines;

namespace CnnNative;

/// <summary>Builds the problems that engines solve from what a user gives, and refuses what makes no sense.</summary>
internal static class ConvolutionProblems
{
    private const string Operation = "Conv2d";

    public static ConvolutionProblem Create(
        Tensor x, Tensor weight, Tensor? bias, Pair stride, Padding padding, Pair dilation, int groups, PaddingMode mode)
    {
        Require.SameDevice(Operation, x, weight, bias);
        Require.Rank(Operation, nameof(x), x, 4, "(N, C, H, W)");
        Require.Rank(Operation, nameof(weight), weight, 4, "(K, C / groups, R, S)");
        Require.DType(Operation, nameof(weight), weight, x.DType);
        if (bias is not null) Require.DType(Operation, nameof(bias), bias, x.DType);
        Require.Computable(Operation, x);
        var (k, r, s) = (weight.Shape[0], weight.Shape[2], weight.Shape[3]);
        var c = x.Shape[1];
        if (groups < 1 || c % groups != 0 || k % groups != 0)
            throw new ShapeException(Operation, $"groups {groups} must be positive and divide the channels: input {c}, output {k}");
        if (weight.Shape[1] != c / groups)
            throw new ShapeException(Operation, $"weight {weight.Shape} sees {weight.Shape[1]} channels per group, input {x.Shape} has {c} in {groups} groups: expected {c / groups}");
        if (bias is not null) Require.Shape(Operation, nameof(bias), bias, [k]);
        Positive(stride, nameof(stride));
        Positive(dilation, nameof(dilation));
        padding = padding.For((r, s), stride, dilation);

        var problem = new ConvolutionProblem
        {
            N = x.Shape[0], C = c, H = x.Shape[2], W = x.Shape[3], K = k, R = r, S = s,
            PadTop = padding.Top, PadBottom = padding.Bottom, PadLeft = padding.Left, PadRight = padding.Right,
            StrideH = stride.H, StrideW = stride.W, DilationH = dilation.H, DilationW = dilation.W,
            Groups = groups, PaddingMode = mode,
        };
        CheckWindow(problem);
        CheckPadding(problem);
        return problem;
    }

    private static void Positive(Pair sizes, string name)
    {
        if (sizes.H < 1 || sizes.W < 1) throw new ShapeException(Operation, $"{name} {sizes} must be at least 1");
    }

    private static void CheckWindow(in ConvolutionProblem p)
    {
        if (p.R < 1 || p.S < 1 || p.C < 1) throw new ShapeException(Operation, $"weight {p.WeightShape} is empty");
        long height = (long)p.H + p.PadTop + p.PadBottom, width = (long)p.W + p.PadLeft + p.PadRight;
        if (Math.Max(height, width) > int.MaxValue)
            throw new ShapeException(Operation, $"the padded input ({height}, {width}) is larger than {int.MaxValue}");
        long windowH = (long)p.DilationH * (p.R - 1) + 1, windowW = (long)p.DilationW * (p.S - 1) + 1;
        if (windowH > height || windowW > width)
            throw new ShapeException(Operation, $"the filter spans ({windowH}, {windowW}), more than the padded input ({height}, {width})");
    }

    private static void CheckPadding(in ConvolutionProblem p)
    {
        if ((p.PadTop | p.PadBottom | p.PadLeft | p.PadRight) < 0)
            throw new ShapeException(Operation, $"padding ({p.PadTop}, {p.PadBottom}, {p.PadLeft}, {p.PadRight}) is negative");
        var (mostH, mostW) = p.PaddingMode switch
        {
            PaddingMode.Reflect => (p.H - 1, p.W - 1),
            PaddingMode.Circular => (p.H, p.W),
            PaddingMode.Replicate when p.H == 0 || p.W == 0 => (0, 0),
            _ => (int.MaxValue, int.MaxValue),
        };
        if (Math.Max(p.PadTop, p.PadBottom) > mostH || Math.Max(p.PadLeft, p.PadRight) > mostW)
            throw new ShapeException(Operation, $"padding ({p.PadTop}, {p.PadBottom}, {p.PadLeft}, {p.PadRight}) is too large for mode {p.PaddingMode} on an input of ({p.H}, {p.W}): at most ({mostH}, {mostW})");
    }
}
