using CnnNative.Engines;
using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>How few filters are divided over blocks: every pixel once, windows within what is staged, and no more than a block may have.</summary>
[TestFixture]
internal sealed class DirectPlanTests
{
    private const int Multiprocessors = 132, MostSharedBytes = 48 << 10;

    private static IEnumerable<ConvolutionProblem> Problems() =>
    [
        ConvolutionShapes.Problem(256, 1, 28, 28, 6, 5, 5, pad: 2),
        ConvolutionShapes.Problem(256, 6, 14, 14, 16, 5, 5),
        ConvolutionShapes.Problem(64, 3, 224, 224, 16, 7, 7, pad: 3, stride: 2),
        ConvolutionShapes.Problem(1, 5, 3, 480, 4, 3, 3, pad: 1),
        ConvolutionShapes.Problem(128, 128, 28, 28, 256, 3, 3, pad: 1, groups: 32),
        ConvolutionShapes.Problem(1000, 7, 2, 3, 3, 1, 1),
        ConvolutionShapes.Problem(2, 40, 30, 31, 9, 3, 3, pad: 6, stride: 3, dilation: 3),
    ];

    [TestCaseSource(nameof(Problems))]
    public void Every_pixel_has_a_place_in_one_tile(ConvolutionProblem problem)
    {
        foreach (var layout in Enum.GetValues<Layout>())
        {
            var geometry = ConvGeometry.Forward(problem, layout, layout);
            var plan = DirectPlan.Forward(geometry, problem.Groups, Multiprocessors)!.Value;
            var tile = plan.Tile;
            AssertCovers(tile, geometry);
            Assert.That((plan.Launch.Grid.X, plan.Launch.Grid.Y), Is.EqualTo((tile.Tiles, problem.Groups)));
            Assert.That(plan.Launch.Block.X % 32, Is.Zero);
            Assert.That(plan.Launch.Block.X * 32 / plan.Filters, Is.InRange(tile.Pixels, 128 * 32 / plan.Filters), "pixels of the threads");
            Assert.That(plan.Filters, Is.GreaterThanOrEqualTo(geometry.Filters).And.LessThan(Math.Max(5, 2 * geometry.Filters)));
            Assert.That(plan.Launch.SharedBytes, Is.EqualTo(4 * tile.Channels * (tile.SeenOfChannel + problem.R * problem.S * plan.Filters)).And.LessThanOrEqualTo(MostSharedBytes));
        }
    }

    [TestCaseSource(nameof(Problems))]
    public void Every_tap_has_a_warp(ConvolutionProblem problem)
    {
        var geometry = ConvGeometry.Forward(problem, Layout.Nchw, Layout.Nchw);
        if (DirectPlan.BackwardWeight(geometry, problem.Groups, Multiprocessors) is not { } plan)
        {
            Assert.That(geometry.Filters, Is.GreaterThan(DirectPlan.MostFiltersOfGradient));
            return;
        }

        AssertCovers(plan.Tile, geometry);
        int warps = plan.Launch.Block.X / 32, ofChannel = (problem.R * problem.S * plan.Filters + 31) / 32;
        Assert.That(warps, Is.InRange(1, 12));
        Assert.That(plan.Launch.Grid.Y * warps, Is.InRange(geometry.Channels * ofChannel, geometry.Channels * ofChannel + warps - 1), "warps for the taps of all channels");
        // The channels that the warps of one block look at.
        for (var first = 0; first < geometry.Channels * ofChannel; first += warps)
            Assert.That((Math.Min(first + warps, geometry.Channels * ofChannel) - 1) / ofChannel - first / ofChannel, Is.LessThan(plan.Tile.Channels), $"channels from warp {first} on");
        Assert.That(plan.Launch.Grid.X, Is.InRange(1, plan.Tile.Tiles), "splits");
        Assert.That(plan.Launch.SharedBytes, Is.EqualTo(4 * ((plan.Filters + 1) * plan.Tile.Pixels + plan.Tile.Channels * plan.Tile.SeenOfChannel)).And.LessThanOrEqualTo(MostSharedBytes));
    }

    [Test]
    public void Pixels_of_a_row_and_the_next_follow_each_other_in_the_banks([Values(1, 3)] int strideH, [Range(5, 70, 13)] int width)
    {
        var tile = DirectTile.Cut(ConvGeometry.Forward(ConvolutionShapes.Problem(1, 1, 40, width, 4, 3, 3) with { StrideH = strideH }, Layout.Nchw, Layout.Nchw), 512);
        Assert.That((strideH * tile.Pitch - tile.Columns) % 32, Is.Zero);
        Assert.That(tile.Pitch, Is.InRange(tile.SeenColumns, tile.SeenColumns + 31));
    }

    [Test]
    public void Taps_that_go_backwards_are_turned_around()
    {
        var problem = ConvolutionShapes.Problem(8, 3, 20, 21, 40, 5, 3, pad: 1);
        var phase = DataGradientPhase.At(problem, 0).Geometry(problem, Layout.Nchw, Layout.Nchw);
        var plan = DirectPlan.Forward(phase, 1, Multiprocessors)!.Value;
        Assert.That((phase.TapH, phase.TapW), Is.EqualTo((-1, -1)));
        Assert.That((plan.Geometry.TapH, plan.Geometry.TapW, plan.Tile.FlipH, plan.Tile.FlipW), Is.EqualTo((1, 1, 1, 1)));
        Assert.That((plan.Geometry.OriginH, plan.Geometry.OriginW), Is.EqualTo((phase.OriginH - 4, phase.OriginW - 2)));
    }

    [Test]
    public void What_does_not_fit_is_refused()
    {
        Assert.That(DirectPlan.Forward(Of(ConvolutionShapes.Problem(8, 3, 20, 20, 17, 3, 3)), 1, Multiprocessors), Is.Null, "filters");
        Assert.That(DirectPlan.BackwardWeight(Of(ConvolutionShapes.Problem(8, 3, 20, 20, 9, 3, 3)), 1, Multiprocessors), Is.Null, "filters of a gradient");
        Assert.That(DirectPlan.Forward(Of(ConvolutionShapes.Problem(1, 1, 400, 400, 4, 100, 100)), 1, Multiprocessors), Is.Null, "a window that shared memory does not hold");
        Assert.That(DirectPlan.BackwardWeight(Of(ConvolutionShapes.Problem(1, 1, 400, 400, 4, 100, 100)), 1, Multiprocessors), Is.Null, "a window that shared memory does not hold");

        static ConvGeometry Of(ConvolutionProblem problem) => ConvGeometry.Forward(problem, Layout.Nchw, Layout.Nchw);
    }

    private static void AssertCovers(in DirectTile tile, in ConvGeometry g)
    {
        int down = (g.OutHeight + tile.Rows - 1) / tile.Rows, across = (g.OutWidth + tile.Columns - 1) / tile.Columns, deep = (g.Images + tile.Images - 1) / tile.Images;
        Assert.That(tile.Tiles, Is.EqualTo(down * across * deep));
        if (tile.Images > 1) Assert.That((down, across), Is.EqualTo((1, 1)), "several images only where they are whole");
        Assert.That(tile.SeenRows, Is.EqualTo((tile.Rows - 1) * g.StrideH + (g.WindowHeight - 1) * g.TapH + 1));
        Assert.That(tile.SeenColumns, Is.EqualTo((tile.Columns - 1) * g.StrideW + (g.WindowWidth - 1) * g.TapW + 1).And.LessThanOrEqualTo(tile.Pitch));
        Assert.That(tile.ByColumns.Divide(tile.Pixels - 1), Is.EqualTo(tile.Images * tile.Rows - 1));
    }
}
