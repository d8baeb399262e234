using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>How depthwise convolutions are divided over blocks: everything once, within what every device has.</summary>
[TestFixture]
internal sealed class DepthwisePlanTests
{
    /// <summary>Shared memory of a block on every device of compute capability 8.0 and later.</summary>
    private const int MostShared = 99 << 10;

    private static IEnumerable<DepthwiseShape> Shapes()
    {
        foreach (var pass in Enum.GetValues<ConvolutionPass>())
        foreach (var size in (int[])[1, 7, 14, 56, 57, 112, 225, 1000])
        foreach (var window in (int[])[3, 5, 7])
        foreach (var stride in pass == ConvolutionPass.BackwardData ? (int[])[2] : [1, 2])
        foreach (var (images, channels) in ((int, int)[])[(1, 1), (1, 480), (128, 96)])
        foreach (var type in (DType[])[DType.Float32, DType.BFloat16])
        {
            var problem = ConvolutionShapes.Problem(images, channels, size, size + 2, channels, window, window, window / 2, stride, groups: channels);
            yield return DepthwiseShape.Of(pass, problem, type);
        }
    }

    [Test]
    public void Rows_are_covered_once_and_fit([Values(1, 132)] int multiprocessors)
    {
        foreach (var shape in Shapes())
        {
            var rows = DepthwiseRows.For(shape, wide: true, multiprocessors);
            Assert.That(rows.Columns * rows.Tiles, Is.InRange(shape.Width, shape.Width + rows.Columns - 1), $"columns of {shape}");
            Assert.That(rows.Rows * rows.Strips, Is.InRange(shape.Height, shape.Height + rows.Rows - 1), $"rows of {shape}");
            Assert.That(rows.Rows % rows.RowsPerStep, Is.Zero, $"steps of {shape}");
            Assert.That((long)rows.ItemsPerSplit * rows.Splits, Is.InRange(rows.Items, rows.Items + rows.ItemsPerSplit - 1), $"items of {shape}");
            Assert.That(rows.Launch(shape).SharedBytes, Is.InRange(1, MostShared), $"shared memory of {shape}");
            // The gradient by the input tells rows of one parity from the other by their warp.
            if (shape.Pass == ConvolutionPass.BackwardData) Assert.That(rows.RowsPerStep % 2, Is.Zero, $"rows of a step of {shape}");
        }
    }

    [Test]
    public void Pixels_are_summed_once_by_threads_that_have_work(
        [Values] Layout layout, [Values(1, 132 * 8)] long wanted, [Values(1, 7, 56, 225)] int size, [Values(1, 480)] int channels, [Values(1, 128)] int images)
    {
        var problem = ConvolutionShapes.Problem(images, channels, size, size + 2, 2 * channels, 3, 5, 1, groups: channels);
        var (sums, launch) = (DepthwiseSums.Cut(problem, layout, wanted), DepthwiseSums.Cut(problem, layout, wanted).Launch(problem, layout));
        Assert.That(sums.Pixels, Is.EqualTo(images * problem.P * problem.Q));
        Assert.That((long)sums.PixelsPerSplit * sums.Splits, Is.InRange(sums.Pixels, sums.Pixels + sums.PixelsPerSplit - 1), "every pixel in one split");
        Assert.That(launch.Grid, Is.EqualTo(new Dim3(layout == Layout.Nhwc ? (2 * channels + 31) / 32 : 2 * channels, sums.Splits)));
        Assert.That(launch.Block, Is.EqualTo(new Dim3(128)));
        if (sums.Splits > 1) Assert.That((sums.Splits - 1) * launch.Grid.X, Is.LessThan(wanted), "no more splits than are wanted");
        Assert.That(sums.Splits, Is.LessThanOrEqualTo(Math.Max(1, sums.Pixels / (10 * 3 * 5) + 1)), "partial results are little against the gradient");
    }

    [Test]
    public void Planes_are_covered_once_and_fit([Values(1, 132)] int multiprocessors)
    {
        foreach (var shape in Shapes())
        {
            var planes = DepthwisePlanes.For(shape, PaddingMode.Zeros, wide: true, multiprocessors);
            Assert.That(planes.Rows * planes.Strips, Is.InRange(shape.Height, shape.Height + planes.Rows - 1), $"rows of {shape}");
            Assert.That(planes.Strips == 1 || planes.Planes == 1, $"strips are of one plane: {shape}");
            Assert.That((long)planes.ItemsPerSplit * planes.Splits, Is.InRange(planes.Items, planes.Items + planes.ItemsPerSplit - 1), $"items of {shape}");
            Assert.That(planes.Launch(shape).SharedBytes, Is.InRange(1, MostShared), $"shared memory of {shape}");
            Assert.That(planes.RowsOfPart * planes.Parts, Is.GreaterThanOrEqualTo(planes.Rows), $"rows of the parts of {shape}");
            var visited = Enumerable.Range(0, planes.Planes).Select(i => i * planes.PlaneStep % planes.Planes);
            Assert.That(visited.Distinct().Count(), Is.EqualTo(planes.Planes), $"planes of {shape}, in steps of {planes.PlaneStep}");
            if (shape.Pass == ConvolutionPass.BackwardWeight)
                Assert.That(planes.Planes * planes.Parts * planes.Lanes, Is.LessThanOrEqualTo(planes.Launch(shape).Block.X), $"a thread per column of {shape}");
        }
    }

    [Test]
    public void Padding_that_shows_pixels_needs_whole_planes()
    {
        var shape = DepthwiseShape.Of(ConvolutionPass.Forward, ConvolutionShapes.Problem(1, 4, 200, 200, 4, 3, 3, 1, groups: 4), DType.Float32);
        Assert.That(DepthwisePlanes.For(shape, PaddingMode.Reflect, wide: true, 132).Rows, Is.Zero);
        Assert.That(DepthwisePlanes.For(shape, PaddingMode.Zeros, wide: true, 132).Strips, Is.GreaterThan(1));
    }
}
