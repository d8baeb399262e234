using System.Runtime.InteropServices;

namespace CnnNative.Engines.Native;

/// <summary>
/// A tile of output pixels and what its windows see, for the direct convolutions; the twin of the structure in native/kernels/conv/direct_tile.h.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DirectTile
{
    /// <summary>Most columns of a tile: wider ones have few rows, and see many that are not theirs.</summary>
    private const int MostColumns = 64;

    /// <summary>Banks of shared memory.</summary>
    private const int Banks = 32;

    public int Images, Rows, Columns, SeenRows, SeenColumns, Pitch, Channels, FlipH, FlipW, Tiles;
    public FastDivisor ByRows, ByColumns, ByTilesDown, ByTilesAcross, BySeenRows, BySeenColumns, ByChannels, ByFilters;

    /// <summary>Output pixels.</summary>
    public readonly int Pixels => Images * Rows * Columns;

    /// <summary>Numbers of x that a tile sees of one channel, with the gaps between rows.</summary>
    public readonly int SeenOfChannel => (Images * SeenRows * Pitch) | 1;

    /// <summary>Tiles of at most so many pixels, as equal as they can be; of several images where an image is smaller.</summary>
    /// <param name="g">The convolution, with steps of taps that are positive.</param>
    /// <param name="pixels">Most pixels.</param>
    public static DirectTile Cut(in ConvGeometry g, int pixels)
    {
        var columns = Equal(g.OutWidth, Math.Min(pixels, MostColumns));
        var rows = Equal(g.OutHeight, pixels / columns);
        var images = rows == g.OutHeight && columns == g.OutWidth ? Math.Clamp(pixels / (rows * columns), 1, Math.Max(1, g.Images)) : 1;
        int seenRows = Seen(rows, g.StrideH, g.WindowHeight, g.TapH), seenColumns = Seen(columns, g.StrideW, g.WindowWidth, g.TapW);
        int down = (g.OutHeight + rows - 1) / rows, across = (g.OutWidth + columns - 1) / columns;
        return new()
        {
            Images = images, Rows = rows, Columns = columns, SeenRows = seenRows, SeenColumns = seenColumns, Pitch = Spread(seenColumns, columns, g.StrideH, g.StrideW),
            Tiles = checked((g.Images + images - 1) / images * down * across), ByRows = new(rows), ByColumns = new(columns), ByTilesDown = new(down), ByTilesAcross = new(across),
            BySeenRows = new(seenRows), BySeenColumns = new(seenColumns), ByFilters = new(g.Filters),
        };
    }

    /// <summary>The largest of as many equal parts as there must be.</summary>
    public static int Equal(int length, int most)
    {
        var parts = Math.Max(1, (length + most - 1) / most);
        return Math.Max(1, (length + parts - 1) / parts);
    }

    /// <summary>With so many channels staged at once.</summary>
    public readonly DirectTile Staging(int channels) => this with { Channels = channels, ByChannels = new(channels) };

    private static int Seen(int pixels, int stride, int window, int step) => (pixels - 1) * stride + Math.Max(0, window - 1) * step + 1;

    /// <summary>
    /// From one row to the next such that the first pixel of a row follows the last of the row before, counted in banks: neighbouring pixels
    /// then meet different banks across rows too. Where steps of two leave no such distance, an odd one.
    /// </summary>
    private static int Spread(int seen, int columns, int strideH, int strideW)
    {
        for (var pitch = seen; pitch < seen + Banks; pitch++)
        {
            if ((strideH * pitch - strideW * columns) % Banks == 0) return pitch;
        }

        return seen | 1;
    }
}
