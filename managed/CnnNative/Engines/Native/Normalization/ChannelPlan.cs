using System.Numerics;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// How sums over the channels of a tensor (N, C, ...) are divided over blocks; see native/kernels/norm/channels.h. It depends on the
/// sizes alone, and so do the results.
/// </summary>
/// <param name="ByRows">Whether channels are neighbours in memory: NHWC, and (N, C).</param>
/// <param name="Parts">Parts of each channel: blocks along y.</param>
/// <param name="Bundles">Blocks along x: channels, or bundles of neighbouring ones.</param>
/// <param name="Geometry">The sizes for the kernels.</param>
internal readonly record struct ChannelPlan(bool ByRows, int Parts, int Bundles, ChannelGeometry Geometry)
{
    private const int MostLanes = 32;

    /// <summary>Vectors that one block takes without help, 16 per thread; a part has at least as many.</summary>
    private const int SmallBlock = 4096;

    /// <summary>Blocks that keep the memory of the largest devices busy.</summary>
    private const int Blocks = 1024;

    /// <summary>Whether one block does a whole channel, or bundle of channels.</summary>
    public bool IsSmall => Parts == 1;

    /// <summary>The grid.</summary>
    public LaunchConfiguration Launch => new(new Dim3(Bundles, Parts), MapLaunch.Threads);

    /// <summary>A warp per channel.</summary>
    public LaunchConfiguration FinishLaunch => MapLaunch.Over(32L * Geometry.Channels);

    /// <summary>The plan for a tensor.</summary>
    /// <param name="images">N.</param>
    /// <param name="channels">C.</param>
    /// <param name="pixels">Elements of one channel of one image.</param>
    /// <param name="layout">Order of the elements.</param>
    /// <param name="type">Their type.</param>
    /// <param name="aligned">Whether the addresses are multiples of 16.</param>
    /// <exception cref="EngineNotSupportedException">A channel has more elements than an int counts.</exception>
    public static ChannelPlan For(int images, int channels, long pixels, Layout layout, DType type, bool aligned)
    {
        var elements = Index32.Of("channels", images * pixels);
        return layout == Layout.Nhwc || pixels == 1
            ? Rows(elements, channels, aligned && channels % MapLaunch.Width(type) == 0 ? MapLaunch.Width(type) : 1)
            : Planes(elements, channels, (int)pixels, aligned && pixels % MapLaunch.Width(type) == 0 ? MapLaunch.Width(type) : 1);
    }

    private static ChannelPlan Planes(int elements, int channels, int pixels, int width) =>
        Divide(false, channels, new() { Channels = channels, Width = width, Vectors = elements / width, Lanes = 1, Plane = new(pixels / width) });

    private static ChannelPlan Rows(int rows, int channels, int width)
    {
        var vectorsInRow = channels / width;
        var lanes = Math.Min(MostLanes, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, vectorsInRow)));
        var bundles = (vectorsInRow + lanes - 1) / lanes;
        return Divide(true, bundles, new() { Channels = channels, Width = width, Vectors = rows, Lanes = lanes, Plane = new(1) });
    }

    /// <summary>Divides what is long into parts, so many that all blocks together are about <see cref="Blocks"/>, but none too small.</summary>
    private static ChannelPlan Divide(bool byRows, int bundles, ChannelGeometry geometry)
    {
        var length = Math.Max(1, geometry.Vectors);
        var wanted = (long)length * geometry.Lanes <= SmallBlock ? 1 : (Blocks + bundles - 1) / Math.Max(1, bundles);
        geometry.PerPart = wanted <= 1 ? length : Math.Max(SmallBlock / geometry.Lanes, (length + wanted - 1) / wanted);
        return new(byRows, (length + geometry.PerPart - 1) / geometry.PerPart, bundles, geometry);
    }
}
