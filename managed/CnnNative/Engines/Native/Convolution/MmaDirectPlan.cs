using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>How a convolution of few filters in 16 bits is run directly on matrix units. A pure function of the sizes and of the number of multiprocessors.</summary>
/// <param name="Geometry">The convolution in pairs of channels, or of images for the gradient by the filters; steps of taps are positive.</param>
/// <param name="Tile">Tile of a block.</param>
/// <param name="WholePairs">Pairs that have a second: one less than there are, or all.</param>
/// <param name="Depth">Terms of a sum: channels and taps, or pixels.</param>
/// <param name="WarpsOfTaps">For the gradient by the filters: warps of a block with other taps, beside which warps have other pixels.</param>
/// <param name="Launch">Blocks, threads, shared memory.</param>
internal readonly record struct MmaDirectPlan(ConvGeometry Geometry, DirectTile Tile, int WholePairs, int Depth, int WarpsOfTaps, LaunchConfiguration Launch)
{
    /// <summary>Most filters of a group: the rows of one product.</summary>
    public const int MostFilters = 16;

    /// <summary>Words of a product's depth; pixels of a warp, taps of a warp.</summary>
    private const int WordsOfStep = 8, PixelsOfWarp = 64, TapsOfWarp = 32;

    private const int Warp = 32, MostWarps = 8, MostPixels = 256, LeastPixels = 64;

    /// <summary>Bytes of a step's filters as operands, and of where its words stand.</summary>
    private const int BytesOfStep = Warp * 16 + WordsOfStep * sizeof(int);

    /// <summary>Bytes of a warp's sums in the end (sumsOfWarp).</summary>
    private const int BytesOfSums = MostFilters * (TapsOfWarp + 8) * sizeof(float);

    /// <summary>Whether few blocks have long sums each, which a product would split.</summary>
    /// <param name="multiprocessors">Of the device.</param>
    public bool LeavesIdle(int multiprocessors) => DirectPlan.LeavesIdle(Launch, Depth, multiprocessors);

    /// <summary>The geometry for images at these addresses: what lies side by side is read and written at once.</summary>
    /// <param name="read">Of the images read.</param>
    /// <param name="written">Of the images written.</param>
    public ConvGeometry Of(DevicePointer read, DevicePointer written)
    {
        // Chunks of channels begin at whole units too.
        var channels = Tile.Channels < Geometry.Channels ? 2 * Tile.Channels : Geometry.Channels + WholePairs;
        return Geometry with
        {
            WideIn = Geometry.In.Channel == 2 ? Words(read, channels, Geometry.In, Geometry.In.Image) : 0,
            WideOut = written.Address % sizeof(uint) != 0 ? WideStore.None
                : Geometry.Out.Channel == 1 && AreEven(Geometry.Filters, Geometry.Out.Column, Geometry.Out.Row, Geometry.Out.Image) ? WideStore.Rows
                : Geometry.Out.Column == 1 && AreEven(Tile.Columns, Geometry.OutWidth, Geometry.Out.Row, Geometry.Out.Channel, Geometry.Out.Image) ? WideStore.Columns
                : WideStore.None,
        };
    }

    /// <summary>The geometry of the gradient by the filters for x and dy at these addresses; WideOut is in words too.</summary>
    /// <param name="x">Of the images.</param>
    /// <param name="dy">Of the gradients.</param>
    public ConvGeometry OfGradient(DevicePointer x, DevicePointer dy) => Geometry with
    {
        WideIn = Geometry.In.Channel == 1 && Tile.Channels == Geometry.Channels ? Words(x, Geometry.Channels, Geometry.In, Geometry.In.Image / 2) : 0,
        WideOut = (WideStore)(Geometry.Out.Channel == 1 ? Words(dy, Geometry.Filters, Geometry.Out, Geometry.Out.Image / 2) : 0),
    };

    /// <summary>The plan of the forward pass, or of a phase of the data gradient; null where the kernel cannot do it.</summary>
    /// <param name="geometry">The convolution.</param>
    /// <param name="groups">Its groups.</param>
    /// <param name="multiprocessors">Of the device.</param>
    public static MmaDirectPlan? Forward(in ConvGeometry geometry, int groups, int multiprocessors)
    {
        if (geometry.Filters > MostFilters || groups > DirectPlan.MostLayers) return null;
        var g = PairsOfChannels(DirectPlan.WithPositiveSteps(geometry, out var flips));
        var pixels = MostPixels;
        var tile = Cut(g, pixels);
        // Half as many pixels see more than half as much: only where multiprocessors would have nothing to do.
        while ((long)tile.Tiles * groups * 2 < multiprocessors && pixels > LeastPixels) tile = Cut(g, pixels /= 2);
        var taps = g.WindowHeight * g.WindowWidth;
        var channels = g.Channels;
        for (var parts = 2; Bytes(channels) > DirectPlan.WantedBytes && channels > 1; parts++) channels = (g.Channels + parts - 1) / parts;
        if (Bytes(channels) > DirectPlan.MostBytes) return null;
        tile = tile.Staging(channels) with { FlipH = flips.Rows, FlipW = flips.Columns };
        return new(g, tile, geometry.Channels / 2, geometry.PatchLength, 0, new(new Dim3(tile.Tiles, groups), DirectPlan.Rounded(tile.Pixels, PixelsOfWarp) / PixelsOfWarp * Warp, Bytes(channels)));

        int Bytes(int channels) => (channels * taps + WordsOfStep - 1) / WordsOfStep * BytesOfStep + channels * tile.SeenOfChannel * sizeof(int);
    }

    /// <summary>The plan of the gradient by the filters; null where the kernel cannot do it. The grid's first dimension counts splits.</summary>
    /// <param name="geometry">The forward pass.</param>
    /// <param name="groups">Its groups.</param>
    /// <param name="multiprocessors">Of the device.</param>
    public static MmaDirectPlan? BackwardWeight(in ConvGeometry geometry, int groups, int multiprocessors)
    {
        if (geometry.Filters > MostFilters || groups > DirectPlan.MostLayers) return null;
        var g = PairsOfImages(geometry);
        for (var warps = Math.Min(MostWarps, (g.PatchLength + TapsOfWarp - 1) / TapsOfWarp); warps > 0; warps /= 2)
        {
            for (var pixels = MostPixels; pixels >= LeastPixels; pixels /= 2)
            {
                if (BackwardWeight(geometry, g, groups, multiprocessors, warps, pixels) is { } plan) return plan;
            }
        }

        return null;
    }

    /// <summary>With so many warps for different taps and at most so many pixels in a tile; null where a block has no room for that, or too few have something to do.</summary>
    private static MmaDirectPlan? BackwardWeight(in ConvGeometry geometry, in ConvGeometry pairs, int groups, int multiprocessors, int warps, int pixels)
    {
        var slices = (pairs.PatchLength + warps * TapsOfWarp - 1) / (warps * TapsOfWarp);
        // The channels of a block's taps, wherever within one they begin.
        var channels = slices == 1 ? pairs.Channels : Math.Min(pairs.Channels, Touched(warps * TapsOfWarp, pairs.WindowHeight * pairs.WindowWidth));
        var tile = Cut(pairs, pixels).Staging(channels);
        var bytes = Bytes(tile);
        if (slices > DirectPlan.MostLayers || bytes > DirectPlan.MostBytes || ((long)tile.Tiles * slices * groups * 4 < multiprocessors && pixels > LeastPixels)) return null;
        var threads = warps * (MostWarps / warps) * Warp;
        var grid = new Dim3(DirectPlan.Splits(tile.Tiles, (long)slices * groups, multiprocessors), slices, groups);
        return new(pairs, tile, geometry.Images / 2, geometry.Pixels, warps, new(grid, threads, Math.Max(bytes, threads / Warp * BytesOfSums)));
    }

    /// <summary>Words of neighbouring elements that can be read at once where a pixel has so many: 4, 1 or none.</summary>
    private static int Words(DevicePointer images, int elements, in ImageStrides strides, long image)
    {
        foreach (var words in (ReadOnlySpan<int>)[4, 1])
        {
            var unit = 2 * words;
            if (images.Address % (ulong)(unit * sizeof(ushort)) == 0 && elements % unit == 0 && strides.Column % unit == 0 && strides.Row % unit == 0 && image % unit == 0) return words;
        }

        return 0;
    }

    /// <summary>Most channels that so many taps in order belong to.</summary>
    private static int Touched(int taps, int window) => (taps + window - 2) / window + 1;

    private static bool AreEven(params ReadOnlySpan<long> sizes)
    {
        long all = 0;
        foreach (var size in sizes) all |= size;
        return (all & 1) == 0;
    }

    /// <summary>Gradients, windows and what a tile sees.</summary>
    private static int Bytes(in DirectTile tile)
    {
        var pixels = DirectPlan.Rounded(tile.Pixels, WordsOfStep);
        return (MostFilters * (pixels + 4) + pixels + tile.Channels * tile.SeenOfChannel) * sizeof(int);
    }

    /// <summary>
    /// Rows of what is seen begin twelve to twenty banks apart: lanes read eight neighbouring pixels at four places each, often of a row, which do
    /// not meet those of the row below then.
    /// </summary>
    private static DirectTile Cut(in ConvGeometry g, int pixels)
    {
        var tile = DirectTile.Cut(g, pixels);
        tile.Pitch = tile.SeenColumns;
        while (tile.Pitch % 32 is < 12 or > 20) tile.Pitch++;
        return tile;
    }

    private static ConvGeometry PairsOfChannels(ConvGeometry g)
    {
        g.In.Channel *= 2;
        return g with { Channels = (g.Channels + 1) / 2 };
    }

    private static ConvGeometry PairsOfImages(ConvGeometry g)
    {
        g.In.Image *= 2;
        g.Out.Image *= 2;
        return g with { Images = (g.Images + 1) / 2 };
    }
}
