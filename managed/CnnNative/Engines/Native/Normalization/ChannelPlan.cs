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
    private const int MostLanes = 32, SectorBytes = 32;

    /// <summary>Vectors that one block takes without help, 16 per thread; a part of moments has at least as many.</summary>
    private const int SmallBlock = 4096;

    /// <summary>Vectors that a block of sums takes at least, where there are more: the four per thread that it reads at once.</summary>
    private const int SumBlock = 1024;

    /// <summary>Blocks that keep the memory of the largest devices busy.</summary>
    private const int Blocks = 1024;

    /// <summary>
    /// Blocks that a multiprocessor needs to keep its memory busy: a channel of planes that leaves room for fewer is not kept. Bundles of rows
    /// are at most <see cref="SmallBlock"/> vectors and seldom more than there are multiprocessors: there one may have all the room.
    /// </summary>
    private const int PlanesTogether = 4, RowsTogether = 1;

    /// <summary>Shared memory of a block beside what it keeps, its own and the system's; where channels are rows, threads exchange moments there.</summary>
    private const int OtherBytesOfPlanes = 2048, OtherBytesOfRows = 32 << 10;

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
    public static ChannelPlan For(int images, int channels, long pixels, Layout layout, DType type, bool aligned) =>
        For(images, channels, pixels, layout, type, aligned, SmallBlock);

    /// <summary>
    /// The plan for sums, which keep nothing: where one block had little to do, more share it, for a tensor of one layer is sooner read than memory is
    /// busy. What one block can do alone, it does: another launch would take longer.
    /// </summary>
    /// <inheritdoc cref="For(int, int, long, Layout, DType, bool)"/>
    public static ChannelPlan ForSums(int images, int channels, long pixels, Layout layout, DType type, bool aligned) =>
        For(images, channels, pixels, layout, type, aligned, SumBlock);

    private static ChannelPlan For(int images, int channels, long pixels, Layout layout, DType type, bool aligned, int part)
    {
        var elements = Index32.Of("channels", images * pixels);
        return layout == Layout.Nhwc || pixels == 1
            ? Rows(elements, channels, aligned && channels % MapLaunch.Width(type) == 0 ? MapLaunch.Width(type) : 1, type, part)
            : Planes(elements, channels, (int)pixels, aligned && pixels % MapLaunch.Width(type) == 0 ? MapLaunch.Width(type) : 1, part);
    }

    /// <summary>The same plan with small channels kept in shared memory, where enough blocks then still fit a multiprocessor.</summary>
    /// <param name="type">Type of the elements.</param>
    /// <param name="tensors">How many tensors are kept.</param>
    /// <param name="sharedBytes">Shared memory of a multiprocessor.</param>
    public ChannelPlan Keeping(DType type, int tensors, int sharedBytes)
    {
        var bytes = (long)tensors * Geometry.Vectors * Geometry.Lanes * Geometry.Width * type.Size();
        var room = ByRows ? sharedBytes / RowsTogether - OtherBytesOfRows : sharedBytes / PlanesTogether - OtherBytesOfPlanes;
        if (!IsSmall || bytes == 0 || bytes > room) return this;
        var geometry = Geometry;
        geometry.Keeps = 1;
        return this with { Geometry = geometry, KeptBytes = (int)bytes };
    }

    private static ChannelPlan Planes(int elements, int channels, int pixels, int width, int part) =>
        Divide(false, channels, new() { Channels = channels, Width = width, Vectors = elements / width, Lanes = 1, Plane = new(pixels / width) }, part);

    private static ChannelPlan Rows(int rows, int channels, int width, DType type, int part)
    {
        var vectorsInRow = channels / width;
        var most = Math.Min(MostLanes, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, vectorsInRow)));
        var lanes = LanesOfSmallBundle(rows, most, Math.Max(1, SectorBytes / (width * type.Size())), part) ?? most;
        var bundles = (vectorsInRow + lanes - 1) / lanes;
        return Divide(true, bundles, new() { Channels = channels, Width = width, Vectors = rows, Lanes = lanes, Plane = new(1) }, part);
    }

    /// <summary>
    /// As many lanes as leave one block all rows, in no more vectors than a part has, or at most than one block does; null where not even so few do as
    /// make a whole sector of memory. A narrow bundle in one launch, read once, instead of a wide one in parts: there are as many blocks either way,
    /// and two launches fewer.
    /// </summary>
    private static int? LanesOfSmallBundle(int rows, int most, int least, int part)
    {
        var lanes = most;
        while (lanes > least && (long)rows * lanes > part) lanes /= 2;
        return (long)rows * lanes <= SmallBlock ? lanes : null;
    }

    /// <summary>Divides what is long into parts, so many that all blocks together are about <see cref="Blocks"/>, but none too small.</summary>
    private static ChannelPlan Divide(bool byRows, int bundles, ChannelGeometry geometry, int part)
    {
        var length = Math.Max(1, geometry.Vectors);
        if ((long)length * geometry.Lanes <= SmallBlock) return new(byRows, 1, bundles, geometry);
        var wanted = (Blocks + bundles - 1) / Math.Max(1, bundles);
        var perPart = Math.Max(part / geometry.Lanes, (length + wanted - 1) / wanted);
        return new(byRows, (length + perPart - 1) / perPart, bundles, geometry);
    }
}
