using CnnNative.Engines.Native;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Matrix;

/// <summary>The plan of a product is a function of its sizes: what it must hold for all, and what it chooses for some.</summary>
[TestFixture]
internal sealed class TilePlanTests
{
    private const int Multiprocessors = 132;

    private static readonly TileSet[] Sets = [TileSet.Fma, TileSet.Halves, TileSet.Tf32, TileSet.Wgmma];

    [Test]
    public void Blocks_and_splits_cover_the_product(
        [ValueSource(nameof(Sets))] TileSet set, [Values(1, 6, 64, 443, 4096)] long rows, [Values(1, 100, 50176)] long columns, [Values(0, 1, 27, 4608, 200704)] long depth,
        [Values(1, 32)] int products)
    {
        var plan = TilePlan.Choose(set, rows, columns, depth, products, Multiprocessors);
        var launch = plan.Launch(rows, columns, products);
        Assert.That(launch.Block.Count, Is.EqualTo(plan.Tile.Threads));
        Assert.That(launch.Grid.X, Is.EqualTo(plan.Tile.Count(rows, columns)));
        Assert.That(launch.Grid.Z, Is.EqualTo(products * plan.Splits).And.LessThanOrEqualTo(65535));
        Assert.That((long)plan.Splits * plan.StepsPerSplit, Is.GreaterThanOrEqualTo(set.Steps(depth)), "the whole depth");
        Assert.That((long)(plan.Splits - 1) * plan.StepsPerSplit, Is.LessThanOrEqualTo(Math.Max(0, set.Steps(depth) - 1)), "no empty split");
        if (plan.Splits > 1) Assert.That(plan.Splits * rows * columns * products * sizeof(float), Is.LessThanOrEqualTo(TilePlan.MostPartialBytes));
    }

    [Test]
    public void Blocks_that_stay_are_no_more_than_multiprocessors()
    {
        var few = TilePlan.Choose(TileSet.Wgmma, 128, 256, 64, 3, Multiprocessors);
        Assert.That(few.Resident(128, 256, 3, Multiprocessors, out var tiles), Is.EqualTo(new LaunchConfiguration(tiles, 384, 221312)));
        Assert.That(tiles, Is.EqualTo(3 * few.Tile.Count(128, 256) * few.Splits));
        var many = TilePlan.Choose(TileSet.Wgmma, 1 << 20, 256, 64, 1, Multiprocessors);
        Assert.That(many.Resident(1 << 20, 256, 1, Multiprocessors, out _).Grid, Is.EqualTo(new Dim3(Multiprocessors)));
    }

    /// <summary>What an ordinary layer takes, what a small one and one of few filters take, and that nothing but compute capability 9.0 has these kernels.</summary>
    [Test]
    public void Wgmma_takes_what_fills_its_tiles()
    {
        Assert.That((WgmmaUses.Of(80), WgmmaUses.Of(90), WgmmaUses.Of(100), WgmmaUses.Of(120)), Is.EqualTo((WgmmaUse.Never, WgmmaUse.WherePays, WgmmaUse.Never, WgmmaUse.Never)));
        Assert.That(Pays(256 * 14 * 14, 256, 2304), "3x3 of ResNet-50 in the fourth stage");
        Assert.That(Pays(256 * 56 * 56, 64, 576), "and in the second");
        Assert.That(Shape(TileSet.Wgmma, 256 * 28 * 28, 512, 1152), Is.EqualTo((TileShape.Wgmma128x256, 1)));
        Assert.That(Shape(TileSet.Wgmma, 256 * 56 * 56, 64, 576), Is.EqualTo((TileShape.Wgmma128x64, 1)));
        Assert.That(Pays(10, 10, 84), Is.False, "ten rows leave more of its tiles empty");

        static bool Pays(long rows, long columns, long depth) => WgmmaUse.WherePays.Prefers(
            TilePlan.Choose(TileSet.Wgmma, rows, columns, depth, 1, Multiprocessors), TilePlan.Choose(TileSet.Halves, rows, columns, depth, 1, Multiprocessors));
    }

    [Test]
    public void A_large_product_takes_the_largest_tile_whole() =>
        Assert.That(Shape(TileSet.Fma, 4096, 4096, 4096), Is.EqualTo((TileShape.Fma128x128, 1)));

    [Test]
    public void Few_rows_take_a_low_tile() => Assert.That(Shape(TileSet.Fma, 32, 1_000_000, 288), Is.EqualTo((TileShape.Fma32x128, 1)));

    // Gradient by the filters of LeNet-5's first layer: (6, 25) over 200,704 pixels.
    [Test]
    public void A_small_result_over_a_long_depth_is_split()
    {
        var (tile, splits) = Shape(TileSet.Fma, 6, 25, 200704);
        Assert.That(tile, Is.EqualTo(TileShape.Fma32x32));
        Assert.That(splits, Is.GreaterThanOrEqualTo(Multiprocessors));
    }

    [Test]
    public void Rows_and_columns_are_exchanged_where_that_fits_better()
    {
        Assert.That(GemmPlan.Choose(TileSet.Fma, 100_000, 16, 512, 1, Multiprocessors).Swapped, "16 columns");
        Assert.That(GemmPlan.Choose(TileSet.Fma, 16, 100_000, 512, 1, Multiprocessors).Swapped, Is.False, "16 rows");
    }

    private static (TileShape, int) Shape(TileSet set, long rows, long columns, long depth)
    {
        var plan = TilePlan.Choose(set, rows, columns, depth, 1, Multiprocessors);
        return (plan.Tile.Shape, plan.Splits);
    }
}
