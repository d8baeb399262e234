using CnnNative.Engines;
using NUnit.Framework;

namespace CnnNative.Tests.Engines;

/// <summary>Convolutions that every engine is tested with, and how an engine adds its own.</summary>
internal static class ConvolutionShapes
{
    public static readonly PaddingMode[] PixelModes = [PaddingMode.Reflect, PaddingMode.Replicate, PaddingMode.Circular];

    /// <summary>Tails, strides, dilations, groups and padding of all kinds; small.</summary>
    public static IEnumerable<TestCaseData> OfEveryEngine()
    {
        yield return Case("one pixel", Problem(1, 1, 1, 1, 1, 1, 1));
        yield return Case("LeNet-5, first", Problem(2, 1, 28, 28, 6, 5, 5, pad: 2));
        yield return Case("LeNet-5, second", Problem(3, 6, 14, 14, 16, 5, 5));
        yield return Case("empty batch", Problem(0, 3, 8, 8, 4, 3, 3, pad: 1));
        yield return Case("pointwise in groups", Problem(2, 8, 10, 10, 12, 1, 1, groups: 4));
        yield return Case("pointwise with a stride", Problem(2, 8, 13, 9, 10, 1, 1, stride: 2));
        yield return Case("pointwise with padding", Problem(2, 3, 5, 6, 4, 1, 1, pad: 1));
        yield return Case("depthwise with a multiplier and a stride", Problem(2, 6, 17, 19, 12, 5, 3, pad: 1, stride: 2, groups: 6));
        yield return Case("stem of a residual network", Problem(1, 3, 20, 21, 8, 7, 7, pad: 3, stride: 2));
        yield return Case("stride past the filter", Problem(2, 3, 17, 13, 5, 2, 2, stride: 3));
        yield return Case("dilation that shares a factor with the stride", Problem(2, 4, 13, 12, 5, 3, 3, pad: 2, stride: 2, dilation: 2));
        yield return Case("long and low", Problem(1, 2, 3, 443, 3, 3, 2, pad: 1));
        yield return Case("padding wider than the filter", Problem(2, 3, 5, 6, 4, 2, 2, pad: 3));
        yield return Case("each side its own", Problem(2, 4, 10, 12, 6, 3, 2) with { PadTop = 1, PadBottom = 2, PadRight = 3, StrideH = 3, DilationH = 2, DilationW = 3, Groups = 2 });
        foreach (var mode in PixelModes)
        {
            yield return Case($"{mode}", Problem(2, 3, 7, 9, 5, 3, 4, pad: 2) with { PaddingMode = mode });
            yield return Case($"{mode} in strides and groups", Problem(3, 4, 8, 7, 6, 3, 3, pad: 3, stride: 2, groups: 2) with { PaddingMode = mode });
        }
    }

    /// <summary>A problem with a name for reports.</summary>
    public static TestCaseData Case(string name, ConvolutionProblem problem) => new TestCaseData(problem).SetArgDisplayNames(name);

    /// <summary>A problem whose padding, stride and dilation are the same on both axes.</summary>
    public static ConvolutionProblem Problem(
        int n, int c, int h, int w, int k, int r, int s, int pad = 0, int stride = 1, int dilation = 1, int groups = 1) => new()
    {
        N = n, C = c, H = h, W = w, K = k, R = r, S = s, PadTop = pad, PadBottom = pad, PadLeft = pad, PadRight = pad,
        StrideH = stride, StrideW = stride, DilationH = dilation, DilationW = dilation, Groups = groups,
    };
}
