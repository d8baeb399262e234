using CnnNative.Engines;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>Convolutions that take each way through the native engine.</summary>
internal static class ConvolutionShapes
{
    public static IEnumerable<TestCaseData> Problems()
    {
        yield return Case("one pixel", Problem(1, 1, 1, 1, 1, 1, 1));
        yield return Case("LeNet-5, first", Problem(2, 1, 28, 28, 6, 5, 5, pad: 2));
        yield return Case("LeNet-5, second", Problem(3, 6, 14, 14, 16, 5, 5));
        yield return Case("empty batch", Problem(0, 3, 8, 8, 4, 3, 3, pad: 1));
        yield return Case("every row and column of the tile", Problem(1, 8, 12, 12, 132, 3, 3, pad: 1));
        yield return Case("deep and small, split", Problem(1, 132, 3, 3, 36, 3, 3, pad: 1));
        yield return Case("pointwise", Problem(2, 20, 7, 11, 19, 1, 1));
        yield return Case("pointwise, aligned", Problem(2, 16, 8, 8, 12, 1, 1));
        yield return Case("pointwise in groups", Problem(2, 8, 10, 10, 12, 1, 1, groups: 4));
        yield return Case("pointwise with a stride", Problem(2, 8, 13, 9, 10, 1, 1, stride: 2));
        yield return Case("pointwise with padding", Problem(2, 3, 5, 6, 4, 1, 1, pad: 1));
        yield return Case("depthwise", Problem(2, 6, 20, 19, 6, 3, 3, pad: 1, groups: 6));
        yield return Case("depthwise, whole units, more than a slice", Problem(2, 72, 9, 10, 72, 3, 3, pad: 1, groups: 72));
        yield return Case("depthwise 3x3, stride 2", Problem(2, 8, 9, 10, 8, 3, 3, pad: 1, stride: 2, groups: 8));
        yield return Case("depthwise 5x5", Problem(1, 5, 11, 12, 5, 5, 5, pad: 2, groups: 5));
        yield return Case("depthwise 5x5, stride 2", Problem(1, 5, 11, 12, 5, 5, 5, pad: 2, stride: 2, groups: 5));
        yield return Case("depthwise 7x7", Problem(1, 3, 9, 12, 3, 7, 7, pad: 3, groups: 3));
        yield return Case("depthwise 7x7, stride 2", Problem(1, 3, 9, 12, 3, 7, 7, pad: 3, stride: 2, groups: 3));
        yield return Case("depthwise, more columns than a tile", Problem(1, 4, 9, 150, 4, 3, 3, pad: 1, groups: 4));
        yield return Case("depthwise, more columns than a tile, stride 2", Problem(1, 2, 11, 139, 2, 5, 5, pad: 1, stride: 2, groups: 2));
        yield return Case("depthwise, many small planes", Problem(3, 130, 7, 7, 130, 3, 3, pad: 1, groups: 130));
        yield return Case("depthwise, planes cut into strips", Problem(1, 2, 120, 120, 2, 3, 3, pad: 1, groups: 2));
        yield return Case("depthwise, wide padding and stride 2", Problem(2, 3, 9, 8, 3, 3, 3, pad: 4, stride: 2, groups: 3));
        yield return Case("depthwise, a window wider than the image", Problem(2, 3, 4, 5, 3, 7, 7, pad: 3, groups: 3));
        yield return Case("depthwise with a multiplier and a stride", Problem(2, 6, 17, 19, 12, 5, 3, pad: 1, stride: 2, groups: 6));
        yield return Case("depthwise with a multiplier in registers", Problem(2, 4, 7, 9, 8, 3, 3, pad: 1, groups: 4));
        yield return Case("depthwise, dilated, more than a slice, a multiplier", Problem(2, 20, 9, 10, 40, 3, 5, pad: 2, dilation: 2, groups: 20));
        yield return Case("depthwise, dilated", Problem(1, 4, 11, 9, 4, 3, 3, pad: 2, dilation: 2, groups: 4));
        yield return Case("stem of a residual network", Problem(1, 3, 20, 21, 8, 7, 7, pad: 3, stride: 2));
        yield return Case("stride past the filter", Problem(2, 3, 17, 13, 5, 2, 2, stride: 3));
        yield return Case("dilation that shares a factor with the stride", Problem(2, 4, 13, 12, 5, 3, 3, pad: 2, stride: 2, dilation: 2));
        yield return Case("long and low", Problem(1, 2, 3, 443, 3, 3, 2, pad: 1));
        yield return Case("padding wider than the filter", Problem(2, 3, 5, 6, 4, 2, 2, pad: 3));
        yield return Case("each side its own", Problem(2, 4, 10, 12, 6, 3, 2) with { PadTop = 1, PadBottom = 2, PadRight = 3, StrideH = 3, DilationH = 2, DilationW = 3, Groups = 2 });
        foreach (var mode in (PaddingMode[])[PaddingMode.Reflect, PaddingMode.Replicate, PaddingMode.Circular])
        {
            yield return Case($"{mode}", Problem(2, 3, 7, 9, 5, 3, 4, pad: 2) with { PaddingMode = mode });
            yield return Case($"{mode} in strides and groups", Problem(3, 4, 8, 7, 6, 3, 3, pad: 3, stride: 2, groups: 2) with { PaddingMode = mode });
            yield return Case($"{mode}, depthwise, more than shared memory holds", Problem(1, 2, 90, 91, 2, 3, 3, pad: 2, groups: 2) with { PaddingMode = mode });
            yield return Case($"{mode}, depthwise", Problem(1, 4, 8, 7, 4, 3, 3, pad: 2, groups: 4) with { PaddingMode = mode });
        }

        static TestCaseData Case(string name, ConvolutionProblem problem) => new TestCaseData(problem).SetArgDisplayNames(name);
    }

    /// <summary>A problem whose padding, stride and dilation are the same on both axes.</summary>
    public static ConvolutionProblem Problem(
        int n, int c, int h, int w, int k, int r, int s, int pad = 0, int stride = 1, int dilation = 1, int groups = 1) => new()
    {
        N = n, C = c, H = h, W = w, K = k, R = r, S = s, PadTop = pad, PadBottom = pad, PadLeft = pad, PadRight = pad,
        StrideH = stride, StrideW = stride, DilationH = dilation, DilationW = dilation, Groups = groups,
    };
}
