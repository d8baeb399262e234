using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>How few filters are divided over blocks on matrix units: pairs that cover all channels or images, taps that all have a warp.</summary>
[TestFixture]
internal sealed class MmaDirectPlanTests
{
    private const int Multiprocessors = 132, MostSharedBytes = 48 << 10;

    private static IEnumerable<ConvolutionProblem> Problems() =>
    [
        ConvolutionShapes.Problem(256, 1, 28, 28, 6, 5, 5, pad: 2),
        ConvolutionShapes.Problem(255, 6, 14, 14, 16, 5, 5),
        ConvolutionShapes.Problem(64, 3, 224, 224, 16, 7, 7, pad: 3, stride: 2),
        ConvolutionShapes.Problem(128, 128, 28, 28, 256, 3, 3, pad: 1, groups: 32),
        ConvolutionShapes.Problem(1000, 7, 2, 3, 3, 1, 1),
        ConvolutionShapes.Problem(2, 40, 30, 31, 9, 3, 3, pad: 6, stride: 3, dilation: 3),
    ];

    [TestCaseSource(nameof(Problems))]
    public void Pixels_have_a_thread_and_channels_a_word(ConvolutionProblem problem)
    {
        foreach (var layout in Enum.GetValues<Layout>())
        {
            var geometry = ConvGeometry.Forward(problem, layout, layout);
            var plan = MmaDirectPlan.Forward(geometry, problem.Groups, Multiprocessors)!.Value;
            Assert.That(plan.Geometry.Channels + plan.WholePairs, Is.EqualTo(geometry.Channels));
            Assert.That(plan.Geometry.In.Channel, Is.EqualTo(2 * geometry.In.Channel));
            Assert.That((plan.Launch.Grid.X, plan.Launch.Grid.Y), Is.EqualTo((plan.Tile.Tiles, problem.Groups)));
            Assert.That(plan.Launch.Block.X, Is.EqualTo((plan.Tile.Pixels + 63) / 64 * 32).And.LessThanOrEqualTo(128), "two pixels to a thread");
            var steps = (plan.Tile.Channels * problem.R * problem.S + 7) / 8;
            Assert.That(plan.Launch.SharedBytes, Is.EqualTo(steps * (512 + 32) + 4 * plan.Tile.Channels * plan.Tile.SeenOfChannel).And.LessThanOrEqualTo(MostSharedBytes));
        }
    }

    [TestCaseSource(nameof(Problems))]
    public void Taps_have_a_warp_and_images_a_word(ConvolutionProblem problem)
    {
        var geometry = ConvGeometry.Forward(problem, Layout.Nchw, Layout.Nchw);
        var plan = MmaDirectPlan.BackwardWeight(geometry, problem.Groups, Multiprocessors)!.Value;
        Assert.That(plan.Geometry.Images + plan.WholePairs, Is.EqualTo(geometry.Images));
        Assert.That((plan.Geometry.In.Image, plan.Geometry.Out.Image), Is.EqualTo((2 * geometry.In.Image, 2 * geometry.Out.Image)));
        int taps = geometry.PatchLength, ofBlock = plan.WarpsOfTaps * 32, window = problem.R * problem.S;
        Assert.That(plan.Launch.Grid.Y * ofBlock, Is.InRange(taps, taps + ofBlock - 1), "warps for all taps");
        Assert.That(plan.Launch.Block.X, Is.InRange(4 * 32, 8 * 32));
        Assert.That(plan.Launch.Block.X % ofBlock, Is.Zero, "parts of the pixels");
        for (var first = 0; first < taps; first += ofBlock)
            Assert.That((Math.Min(first + ofBlock, taps) - 1) / window - first / window, Is.LessThan(plan.Tile.Channels), $"channels from tap {first} on");
        Assert.That(plan.Launch.Grid.X, Is.InRange(1, plan.Tile.Tiles), "splits");
        Assert.That(plan.Launch.SharedBytes, Is.InRange(plan.Launch.Block.X / 32 * 16 * 40 * 4, MostSharedBytes));
    }

    [TestCase(6, 27, Layout.Nchw, 0, WideStore.None)]
    [TestCase(6, 28, Layout.Nchw, 0, WideStore.Columns)]
    [TestCase(7, 28, Layout.Nhwc, 0, WideStore.None)]
    [TestCase(6, 27, Layout.Nhwc, 1, WideStore.Rows)]
    [TestCase(16, 27, Layout.Nhwc, 4, WideStore.Rows)]
    public void Neighbours_are_read_and_written_at_once(int channels, int width, Layout layout, int read, WideStore written)
    {
        var geometry = ConvGeometry.Forward(ConvolutionShapes.Problem(256, channels, 28, width, channels, 3, 3, pad: 1), layout, layout);
        var (forward, gradient) = (MmaDirectPlan.Forward(geometry, 1, Multiprocessors)!.Value, MmaDirectPlan.BackwardWeight(geometry, 1, Multiprocessors)!.Value);
        Assert.That(Of(64), Is.EqualTo((read, written)));
        Assert.That(OfGradient(64), Is.EqualTo((read, read)));
        Assert.That(Of(68), Is.EqualTo((Math.Min(1, read), written)), "no beginning of 16 bytes");
        Assert.That(Of(66), Is.EqualTo((0, WideStore.None)), "no beginning of a word");

        (int Read, WideStore Written) Of(int address) => (forward.Of(At(address), At(address)).WideIn, forward.Of(At(address), At(address)).WideOut);
        (int X, int Dy) OfGradient(int address) => (gradient.OfGradient(At(address), At(address)).WideIn, (int)gradient.OfGradient(At(address), At(address)).WideOut);
        static DevicePointer At(int address) => DevicePointer.Null.Plus(address);
    }

    [Test]
    public void Few_blocks_of_long_sums_leave_multiprocessors_idle([Values(DType.Float32, DType.Float16)] DType type)
    {
        foreach (var pass in Enum.GetValues<ConvolutionPass>())
        {
            // The data gradient sums over the filters.
            var (channels, filters) = pass == ConvolutionPass.BackwardData ? (8, 512) : (512, 8);
            Assert.That(Serves(ConvolutionShapes.Problem(1, channels, 7, 7, filters, 3, 3, pad: 1)), Is.EqualTo(pass == ConvolutionPass.BackwardWeight), $"{pass} of one image");
            Assert.That(Serves(ConvolutionShapes.Problem(256, channels, 7, 7, filters, 3, 3, pad: 1)), Is.True, $"{pass} of many images");

            bool Serves(in ConvolutionProblem problem) => DirectConvolution.CanDo(problem, pass, type, Layout.Nchw, Layout.Nchw, Multiprocessors);
        }
    }

    [Test]
    public void What_does_not_fit_is_refused()
    {
        var (filters, window) = (Of(ConvolutionShapes.Problem(8, 3, 20, 20, 17, 3, 3)), Of(ConvolutionShapes.Problem(1, 1, 400, 400, 4, 100, 100)));
        Assert.That(MmaDirectPlan.Forward(filters, 1, Multiprocessors), Is.Null, "filters");
        Assert.That(MmaDirectPlan.BackwardWeight(filters, 1, Multiprocessors), Is.Null, "filters");
        Assert.That(MmaDirectPlan.Forward(window, 1, Multiprocessors), Is.Null, "a window that shared memory does not hold");
        Assert.That(MmaDirectPlan.BackwardWeight(window, 1, Multiprocessors), Is.Null, "a window that shared memory does not hold");

        static ConvGeometry Of(ConvolutionProblem problem) => ConvGeometry.Forward(problem, Layout.Nchw, Layout.Nchw);
    }
}
