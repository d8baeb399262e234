using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>How a convolution of few filters in fp32 is run directly: tile, kernel and launch. A pure function of the sizes and of the number of multiprocessors.</summary>
/// <param name="Geometry">The convolution, with steps of taps that are positive.</param>
/// <param name="Tile">Tile of a block.</param>
/// <param name="Filters">Filters that the kernel is compiled for: 4, 8 or, but for the gradient by the filters, 16.</param>
/// <param name="Launch">Blocks, threads, shared memory.</param>
internal readonly record struct DirectPlan(ConvGeometry Geometry, DirectTile Tile, int Filters, LaunchConfiguration Launch)
{
    /// <summary>Most filters of a group, and for the gradient by them, which stages the gradients of each for few taps.</summary>
    public const int MostFilters = 16, MostFiltersOfGradient = 8;

    /// <summary>Sums in the registers of a thread (directSums).</summary>
    private const int Sums = 32;

    private const int Warp = 32, MostThreads = 128, MostWarps = 12, MostPixels = 256, LeastPixels = 64;

    /// <summary>Shared memory that lets several blocks run on a multiprocessor; more than this, up to what needs no leave, only where one channel needs it.</summary>
    internal const int WantedBytes = 24 << 10, MostBytes = 48 << 10;

    /// <summary>Most blocks in the second and third dimension of a grid.</summary>
    internal const int MostLayers = 65535;

    /// <summary>Blocks per multiprocessor that the gradient by the filters is split into.</summary>
    private const int WantedBlocks = 2;

    /// <summary>Splits beyond which adding them up takes longer than more blocks save.</summary>
    private const int MostSplits = 128;

    /// <summary>Depth of a sum up to which a single thread may do it all however few blocks there are.</summary>
    private const int ShortDepth = 512;

    /// <summary>Whether few blocks have long sums each, which a product would split.</summary>
    /// <param name="multiprocessors">Of the device.</param>
    public bool LeavesIdle(int multiprocessors) => LeavesIdle(Launch, Geometry.PatchLength, multiprocessors);

    /// <summary>Whether the few blocks of a launch have sums of so many terms each.</summary>
    internal static bool LeavesIdle(in LaunchConfiguration launch, int depth, int multiprocessors) => launch.Grid.Count * 4 < multiprocessors && depth > ShortDepth;

    /// <summary>The plan of the forward pass, or of a phase of the data gradient; null where the direct kernel cannot do it.</summary>
    /// <param name="geometry">The convolution.</param>
    /// <param name="groups">Its groups.</param>
    /// <param name="multiprocessors">Of the device.</param>
    public static DirectPlan? Forward(in ConvGeometry geometry, int groups, int multiprocessors)
    {
        if (geometry.Filters > MostFilters || groups > MostLayers) return null;
        var g = WithPositiveSteps(geometry, out var flips);
        var filters = Compiled(g.Filters);
        var pixels = Sums / filters;
        for (var threads = MostThreads; ; threads /= 2)
        {
            var tile = DirectTile.Cut(g, threads * pixels);
            if ((long)tile.Tiles * groups < multiprocessors && threads > Warp) continue;
            var perChannel = (tile.SeenOfChannel + g.WindowHeight * g.WindowWidth * filters) * sizeof(float);
            var channels = DirectTile.Equal(g.Channels, Math.Max(1, WantedBytes / perChannel));
            if (channels * perChannel > MostBytes) return null;
            tile = tile.Staging(channels) with { FlipH = flips.Rows, FlipW = flips.Columns };
            return new(g, tile, filters, new(new Dim3(tile.Tiles, groups), Rounded(tile.Pixels, pixels * Warp) / pixels, channels * perChannel));
        }
    }

    /// <summary>The plan of the gradient by the filters; null where the direct kernel cannot do it. The grid's first dimension counts splits.</summary>
    /// <param name="geometry">The forward pass.</param>
    /// <param name="groups">Its groups.</param>
    /// <param name="multiprocessors">Of the device.</param>
    public static DirectPlan? BackwardWeight(in ConvGeometry geometry, int groups, int multiprocessors)
    {
        if (geometry.Filters > MostFiltersOfGradient || groups > MostLayers) return null;
        int filters = Compiled(geometry.Filters), taps = Sums / filters, warpsOfChannel = (geometry.WindowHeight * geometry.WindowWidth + taps - 1) / taps;
        // Whole channels to a block, or two of which it has a part each.
        var channels = Math.Clamp(MostWarps / warpsOfChannel, 1, geometry.Channels);
        var warps = Math.Min(MostWarps, channels * warpsOfChannel);
        if (warpsOfChannel > MostWarps) channels = Math.Min(2, geometry.Channels);
        var slices = ((long)geometry.Channels * warpsOfChannel + warps - 1) / warps;
        if (slices > MostLayers) return null;
        for (var pixels = MostPixels; pixels >= LeastPixels; pixels /= 2)
        {
            var tile = DirectTile.Cut(geometry, pixels).Staging(channels);
            var bytes = ((filters + 1) * tile.Pixels + channels * tile.SeenOfChannel) * sizeof(float);
            if (bytes > MostBytes) continue;
            return new(geometry, tile, filters, new(new Dim3(Splits(tile.Tiles, slices * groups, multiprocessors), (int)slices, groups), warps * Warp, bytes));
        }

        return null;
    }

    /// <summary>Into how many blocks the tiles of a gradient by the filters go, where so many blocks share each of them.</summary>
    internal static int Splits(int tiles, long layers, int multiprocessors) =>
        (int)Math.Clamp((WantedBlocks * multiprocessors + layers - 1) / layers, 1, Math.Clamp(tiles, 1, MostSplits));

    private static int Compiled(int filters) => filters <= 4 ? 4 : filters <= 8 ? 8 : 16;

    internal static int Rounded(int value, int unit) => (value + unit - 1) / unit * unit;

    /// <summary>A window whose taps go backwards begins at its last one.</summary>
    internal static ConvGeometry WithPositiveSteps(ConvGeometry g, out (int Rows, int Columns) flips)
    {
        flips = (g.TapH < 0 ? 1 : 0, g.TapW < 0 ? 1 : 0);
        if (flips.Rows == 1) (g.OriginH, g.TapH) = (g.OriginH + Math.Max(0, g.WindowHeight - 1) * g.TapH, -g.TapH);
        if (flips.Columns == 1) (g.OriginW, g.TapW) = (g.OriginW + Math.Max(0, g.WindowWidth - 1) * g.TapW, -g.TapW);
        return g;
    }
}
