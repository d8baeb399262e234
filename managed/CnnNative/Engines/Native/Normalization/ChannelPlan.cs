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
/// <param name="KeptBytes">Shared memory in which a block keeps what it has read of its channel; 0 where it reads twice.</param>
internal readonly record struct ChannelPlan(bool ByRows, int Parts, int Bundles, ChannelGeometry Geometry, int KeptBytes = 0)
{
    private const int MostLanes = 32;

    /// <summary>Vectors that one block takes without help, 16 per thread; a part has at least as many.</summary>
    private const int SmallBlock = 4096;

    /// <summary>Blocks that keep the memory of the largest devices busy.</summary>
    private const int Blocks = 1024;

    /// <summary>Blocks that a multiprocessor needs to keep its memory busy: a channel that leaves room for fewer is not kept.</summary>
    private const int BlocksTogether = 4;

    /// <summary>Shared memory of a block beside what it keeps: its own and the system's.</summary>
    private const int OtherBytes = 2048;

    /// <summary>Whether one block does a whole channel, or bundle of channels.</summary>
    public bool IsSmall => Parts == 1;

    /// <summary>The grid.</summary>
    public LaunchConfiguration Launch => new(new Dim3(Bundles, Parts), MapLaunch.Threads, KeptBytes);

    /// <summary>A warp per channel.</summary>
    public LaunchConfiguration FinishLaunch => MapLaunch.Warps(Geometry.Channels);

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

    /// <summary>The same plan with small channels of planes kept in shared memory, where several blocks then still fit a multiprocessor.</summary>
    /// <param name="type">Type of the elements.</param>
    /// <param name="tensors">How many tensors are kept.</param>
    /// <param name="sharedBytes">Shared memory of a multiprocessor.</param>
    public ChannelPlan Keeping(DType type, int tensors, int sharedBytes)
    {
        var bytes = (long)tensors * Geometry.Vectors * Geometry.Width * type.Size();
        if (ByRows || !IsSmall || bytes == 0 || bytes > sharedBytes / BlocksTogether - OtherBytes) return this;
        var geometry = Geometry;
        geometry.Keeps = 1;
        return this with { Geometry = geometry, KeptBytes = (int)bytes };
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
