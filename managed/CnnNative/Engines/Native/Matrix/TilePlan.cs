using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// How one product is cut into blocks. A pure function of the sizes and of the number of multiprocessors. Costs, and the speeds of
/// <see cref="TileSet"/>, are estimates from data sheets, not measured on a GPU: they rank plans, and predict no time.
/// </summary>
/// <param name="Tile">Tile of a block.</param>
/// <param name="Splits">Parts of the depth; more than one needs working memory and a second stage.</param>
/// <param name="StepsPerSplit">Steps of the depth per part.</param>
/// <param name="Cost">The estimate that it was chosen by: FMAs that one multiprocessor could have made in the time.</param>
internal readonly record struct TilePlan(Tile Tile, int Splits, int StepsPerSplit, double Cost)
{
    /// <summary>Most working memory for partial sums, in bytes.</summary>
    public const long MostPartialBytes = 256L << 20;

    /// <summary>FMAs of a multiprocessor in the time that it moves a byte: 128 a cycle against about 19 bytes.</summary>
    private const double FmasPerByte = 128 / 19.0;

    /// <summary>FMAs of a multiprocessor while a second kernel starts, about 2 microseconds.</summary>
    private const double LaunchCost = 2e-6 * 1.7e9 * 128;

    /// <summary>Threads on a multiprocessor that hide the latency of loads.</summary>
    private const int HidingThreads = 256;

    /// <summary>Steps that fill the pipeline before the first result and drain it after the last.</summary>
    private const int PipelineSteps = 2;

    /// <summary>The same where blocks stay: once to start, with what tensor maps and barriers take, and the storing of each tile.</summary>
    private const int StartSteps = 3, StoreSteps = 1;

    /// <summary>Steps that a split must have to be worth its start.</summary>
    private const int LeastSteps = 8;

    /// <summary>Most blocks in the third dimension of a grid.</summary>
    private const int MostLayers = 65535;

    /// <summary>Whether kernels of compute capability 9.0 are meant.</summary>
    public bool IsWgmma => Tile.Shape is TileShape.Wgmma128x256 or TileShape.Wgmma128x128 or TileShape.Wgmma128x64;

    /// <summary>The plan of least estimated time.</summary>
    /// <param name="set">The tiles to choose from.</param>
    /// <param name="rows">Rows of the product.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="depth">What is summed over.</param>
    /// <param name="products">Products of this size at once.</param>
    /// <param name="multiprocessors">Of the device.</param>
    public static TilePlan Choose(TileSet set, long rows, long columns, long depth, int products, int multiprocessors)
    {
        var best = default(TilePlan);
        var steps = set.Steps(depth);
        var most = MostSplits(rows * columns * products, steps, products);
        foreach (var tile in set.Tiles)
        {
            // Each number of parts about half as much again as the one before.
            for (var splits = 1; splits <= most; splits += Math.Max(1, splits / 2))
            {
                var plan = Estimate(set, tile, rows, columns, steps, products, splits, multiprocessors);
                if (best.Splits == 0 || plan.Cost < best.Cost) best = plan;
            }
        }

        return best;
    }

    /// <summary>Blocks and threads; tiles in the first dimension, products times splits in the third.</summary>
    public LaunchConfiguration Launch(long rows, long columns, int products) =>
        new(new Dim3(checked((int)Tile.Count(rows, columns)), 1, products * Splits), Tile.Threads, Tile.SharedBytes);

    /// <summary>The same for kernels whose blocks stay and take one tile after the other: no more of them than run at a time.</summary>
    /// <param name="rows">Rows of the product.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="products">Products of this size.</param>
    /// <param name="multiprocessors">Of the device; each has one block.</param>
    /// <param name="tiles">Tiles of all products and splits.</param>
    public LaunchConfiguration Resident(long rows, long columns, int products, int multiprocessors, out int tiles)
    {
        tiles = checked((int)(Tile.Count(rows, columns) * products * Splits));
        return new(Math.Min(tiles, multiprocessors), Tile.Threads, Tile.SharedBytes);
    }

    /// <summary>The kernels' view of the depth.</summary>
    /// <param name="partialStride">Elements from one partial result to the next.</param>
    public DepthSplit Depth(long partialStride) => new() { Splits = Splits, StepsPerSplit = StepsPerSplit, PartialStride = partialStride };

    private static TilePlan Estimate(TileSet set, in Tile tile, long rows, long columns, int steps, int products, int splits, int multiprocessors)
    {
        var perSplit = Math.Max(1, (steps + splits - 1) / splits);
        // As many parts as have steps: none of the partial sums is empty.
        splits = Math.Max(1, (steps + perSplit - 1) / perSplit);
        var blocks = Math.Ceiling(tile.Count(rows, columns) * (double)products * splits / multiprocessors);
        var unhidden = Math.Max(1, HidingThreads / (blocks * tile.Threads));
        var done = set.BlocksStay ? blocks * (perSplit + StoreSteps) + StartSteps : blocks * (perSplit + PipelineSteps);
        var cost = done * set.StepDepth * tile.Rows * tile.Columns / tile.Speed * unhidden;
        if (splits > 1) cost += LaunchCost + (2.0 * splits + 1) * rows * columns * products * sizeof(float) * FmasPerByte / multiprocessors;
        return new(tile, splits, perSplit, cost);
    }

    private static long MostSplits(long results, int steps, int products) => Math.Max(1, Math.Min(
        Math.Min(steps / LeastSteps, MostLayers / Math.Max(1, products)), MostPartialBytes / Math.Max(1, results * sizeof(float))));
}
