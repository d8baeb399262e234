using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Launch configurations as functions of sizes alone, at their edges: one element, a whole block, one more, the limits of a grid.</summary>
public sealed class LaunchTests
{
    private static readonly ConvolutionProblem Problem = new()
    {
        N = 70000, C = 4, H = 10, W = 12, K = 6, R = 3, S = 5, Groups = 2, StrideH = 1, StrideW = 1, DilationH = 1, DilationW = 1,
        PadTop = 1, PadBottom = 1, PadLeft = 2, PadRight = 2, PaddingMode = PaddingMode.Reflect,
    };

    [TestCase(0, 1, 1)]
    [TestCase(256, 1, 1)]
    [TestCase(257, 1, 2)]
    [TestCase(2048, 8, 1)]
    [TestCase(2049, 8, 2)]
    public void ThreadsTakeTheirElementsInWholeBlocks(long count, int perThread, int blocks) =>
        Assert.That(MapLaunch.Over(count, perThread), Is.EqualTo(new LaunchConfiguration(blocks, 256)));

    [Test]
    public void AGridThatCudaDoesNotAllowIsRefused() =>
        Assert.That(() => MapLaunch.Over(256L << 31), Throws.InstanceOf<EngineNotSupportedException>());

    [Test]
    public void MapsTakeSixteenBytesPerThread()
    {
        Assert.That((MapLaunch.Width(DType.Float32), MapLaunch.Width(DType.BFloat16), MapLaunch.Width(DType.Float16)), Is.EqualTo((4, 8, 8)));
        Assert.That(MapLaunch.ForCast(2049), Is.EqualTo(new LaunchConfiguration(2, 256)), "eight elements per thread");
        Assert.That(MapLaunch.Warps(8), Is.EqualTo(new LaunchConfiguration(1, 256)));
        Assert.That(MapLaunch.Warps(9), Is.EqualTo(new LaunchConfiguration(2, 256)));
    }

    [Test]
    public void AGradientOfCrossEntropyTakesAWarpPerRowAnd256ClassesOrABlockPerLongRow()
    {
        Assert.That(NativeLoss.BackwardLaunch(new(2048, 10, 1)), Is.EqualTo(new LaunchConfiguration(256, 256)));
        Assert.That(NativeLoss.BackwardLaunch(new(9, 257, 1)), Is.EqualTo(new LaunchConfiguration(new Dim3(2, 2), 256)));
        Assert.That(NativeLoss.BackwardLaunch(new(9, 2048, 1)), Is.EqualTo(new LaunchConfiguration(new Dim3(2, 8), 256)));
        Assert.That(NativeLoss.BackwardLaunch(new(9, 2049, 1)), Is.EqualTo(new LaunchConfiguration(9, 512)));
        Assert.That(() => NativeLoss.BackwardLaunch(new(1L << 31, 2049, 1)), Throws.InstanceOf<EngineNotSupportedException>());
    }

    [TestCase(0, 0)]
    [TestCase(1, 1)]
    [TestCase(4096, 1)]
    [TestCase(4097, 2)]
    public void AParameterIsUpdatedInPieces(long count, long blocks) => Assert.That(ParameterPieces.Blocks(count), Is.EqualTo(blocks));

    [Test]
    public void StripsAreAsLongAsThereAreThreadsForTheDevice()
    {
        var whole = DepthwiseStrips.Cut(images: 128, channels: 64, height: 56, width: 56, multiplier: 1, wanted: 100_000);
        Assert.That((whole.Rows, whole.Strips, whole.Total), Is.EqualTo((56, 1, 128 * 64 * 56)), "columns alone fill the device");
        var cut = DepthwiseStrips.Cut(images: 1, channels: 8, height: 56, width: 56, multiplier: 1, wanted: 1000);
        Assert.That((cut.Rows, cut.Strips, cut.Total), Is.EqualTo((19, 3, 8 * 56 * 3)));
        var least = DepthwiseStrips.Cut(images: 1, channels: 1, height: 9, width: 1, multiplier: 1, wanted: 1_000_000);
        Assert.That((least.Rows, least.Strips), Is.EqualTo((3, 3)), "not shorter than is worth the rows that are read twice");
        Assert.That(cut.Launch(), Is.EqualTo(new LaunchConfiguration((8 * 56 * 3 + 127) / 128, 128)));
    }

    [Test]
    public void FoldedPaddingTakesAThreadPerElementOfAnImage() =>
        Assert.That(FoldGeometry.Of(Problem, Layout.Nchw).Launch(), Is.EqualTo(new LaunchConfiguration(new Dim3(2, 65535), 256)), "480 elements, images beyond the grid in a loop");

    [Test]
    public void FiltersAreOrderedByAThreadPerElement()
    {
        var order = FilterOrder.Between(Problem, Layout.Nchw, Layout.Nhwc);
        Assert.That((order.Count, order.Launch()), Is.EqualTo((6 * 2 * 3 * 5, new LaunchConfiguration(1, 256))));
        var wide = FilterOrder.Between(Problem with { C = 8, K = 64, Groups = 1 }, Layout.Nhwc, Layout.Nchw);
        Assert.That(wide.Launch(), Is.EqualTo(new LaunchConfiguration(64 * 8 * 15 / 256, 256)));
    }

    [TestCase(1, 15, 1, 256)]
    [TestCase(257, 15, 2, 256)]
    [TestCase(1 << 20, 15, 16, 256)]
    [TestCase(1, 16, 1, 32)]
    [TestCase(33, 16, 2, 32)]
    [TestCase(512, 16, 16, 32)]
    [TestCase(513, 16, 3, 256)]
    [TestCase(1 << 20, 128, 16, 256)]
    public void SplitSumsTakeAThreadPerElementOrEightUpToWhatTheDeviceHolds(long count, int splits, int blocks, int elements)
    {
        var device = new CudaDeviceInfo(0, "", 90, Multiprocessors: 2, 0, MaxThreadsPerMultiprocessor: 2048, 0, 0, false, "");
        Assert.That(SplitSums.Launch(count, splits, device), Is.EqualTo(new LaunchConfiguration(blocks, new Dim3(elements, 256 / elements))));
    }

    [Test]
    public void ColumnsTakeAThreadPerElementOfAnImage() =>
        Assert.That(ColumnConvolution.Launch(257, 5), Is.EqualTo(new LaunchConfiguration(new Dim3(2, 5), 256)));
}
