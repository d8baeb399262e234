using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>How the pixels of a depthwise convolution are dealt to threads; the twin of the structure in native/kernels/conv/depthwise_strips.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DepthwiseStrips
{
    private const int Threads = 128;

    /// <summary>Rows of a strip that are worth the rows around it that are read twice.</summary>
    private const int LeastRows = 4;

    public int Rows, Strips, Total, Multiplier;
    public FastDivisor ByWidth, ByStrips, ByChannels, ByMultiplier;

    /// <summary>Strips as long as they may be while there are threads for the whole device.</summary>
    /// <param name="images">Images.</param>
    /// <param name="channels">Channels written.</param>
    /// <param name="height">Rows written.</param>
    /// <param name="width">Columns written.</param>
    /// <param name="multiplier">Filters per channel.</param>
    /// <param name="wanted">Threads that fill the device.</param>
    public static DepthwiseStrips Cut(int images, int channels, int height, int width, int multiplier, long wanted)
    {
        var columns = Math.Max(1, (long)images * channels * width);
        var most = (height + LeastRows - 1) / LeastRows;
        var wantedStrips = (int)Math.Clamp((wanted + columns - 1) / columns, 1, Math.Max(1, most));
        var rows = (height + wantedStrips - 1) / wantedStrips;
        var strips = (height + rows - 1) / rows;
        return new()
        {
            Rows = rows, Strips = strips, Total = checked((int)(columns * strips)), Multiplier = multiplier,
            ByWidth = new(width), ByStrips = new(strips), ByChannels = new(channels), ByMultiplier = new(multiplier),
        };
    }

    /// <summary>A thread per strip and column.</summary>
    public readonly LaunchConfiguration Launch() => new((Total + Threads - 1) / Threads, Threads);
}
