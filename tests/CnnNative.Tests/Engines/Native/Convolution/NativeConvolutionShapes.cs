using NUnit.Framework;
using static CnnNative.Tests.Engines.ConvolutionShapes;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>Convolutions that take each way through the native engine.</summary>
internal static class NativeConvolutionShapes
{
    public static IEnumerable<TestCaseData> Problems() => OfEveryEngine().Concat(OfItsOwn());

    private static IEnumerable<TestCaseData> OfItsOwn()
    {
        yield return Case("every row and column of the tile", Problem(1, 8, 12, 12, 132, 3, 3, pad: 1));
        yield return Case("deep and small, split", Problem(1, 132, 3, 3, 36, 3, 3, pad: 1));
        yield return Case("pointwise", Problem(2, 20, 7, 11, 19, 1, 1));
        yield return Case("pointwise, aligned", Problem(2, 16, 8, 8, 12, 1, 1));
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
        yield return Case("depthwise with a multiplier in registers", Problem(2, 4, 7, 9, 8, 3, 3, pad: 1, groups: 4));
        yield return Case("depthwise, dilated, more than a slice, a multiplier", Problem(2, 20, 9, 10, 40, 3, 5, pad: 2, dilation: 2, groups: 20));
        yield return Case("depthwise, dilated", Problem(1, 4, 11, 9, 4, 3, 3, pad: 2, dilation: 2, groups: 4));
        foreach (var mode in PixelModes)
        {
            yield return Case($"{mode}, depthwise, more than shared memory holds", Problem(1, 2, 90, 91, 2, 3, 3, pad: 2, groups: 2) with { PaddingMode = mode });
            yield return Case($"{mode}, depthwise", Problem(1, 4, 8, 7, 4, 3, 3, pad: 2, groups: 4) with { PaddingMode = mode });
        }
    }
}
