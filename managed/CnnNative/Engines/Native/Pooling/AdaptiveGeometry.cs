using System.Numerics;
using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// The sizes of one adaptive pooling, and how blocks and threads share it; the twin of the structure in
/// native/kernels/pool/adaptive_average_pool.cu.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct AdaptiveGeometry
{
    /// <summary>Channels that lie side by side in a block: a line of L1, where a device has 16 bytes of each pixel to a thread.</summary>
    private const int SliceBytes = 128, SectorBytes = 32;

    /// <summary>Window size from which lanes share a window.</summary>
    private const int LargeWindow = 32;

    /// <summary>Rows that a block brings for each one that it shares with the next block.</summary>
    private const int RowsPerSharedRow = 8;

    /// <summary>Threads and blocks that fill the largest devices; strips are as tall as leaves so many.</summary>
    private const int EnoughThreads = 1 << 17, EnoughBlocks = 264;

    private const int MostPerBlock = 16 * MapLaunch.Threads, TallestStrip = 16, ShortestStrip = 4;

    public readonly FastDivisor InHeight, InWidth, OutHeight, OutWidth, Vectors, Lanes, Slices, Strips;
    public readonly int StripRows, ChannelVectors, Threads, PerBlock, IsLong;

    private AdaptiveGeometry(in AdaptivePoolingProblem p, Layout layout, DType type, int width, bool forward)
    {
        (InHeight, InWidth, OutHeight, OutWidth) = (new(p.H), new(p.W), new(p.P), new(p.Q));
        IsLong = NeedsLong(p.H, p.P) || NeedsLong(p.W, p.Q) ? 1 : 0;
        ChannelVectors = layout == Layout.Nhwc ? p.C / width : 1;
        var vectors = SliceOf(ChannelVectors, width * type.Size());
        var lanes = forward ? LanesOf(p, vectors) : 1;
        var slices = (ChannelVectors + vectors - 1) / Math.Max(1, vectors);
        (Vectors, Lanes, Slices) = (new(vectors), new(lanes), new(slices));

        var (rows, columns, others) = forward ? (p.P, p.Q, p.H) : (p.H, p.W, p.P);
        var planes = (long)p.N * (layout == Layout.Nhwc ? slices : p.C);
        var perRow = Index32.Of("AdaptiveAvgPool2d", (long)columns * vectors * lanes);
        StripRows = forward ? 1 : StripOf(rows, planes * perRow);
        var strips = (rows - 1) / StripRows + 1;
        Strips = new(strips);
        Threads = Index32.Of("AdaptiveAvgPool2d", planes * strips * perRow);
        PerBlock = Index32.Of("AdaptiveAvgPool2d", (long)perRow * StripsPerBlock(strips, others, others % rows != 0, perRow, planes));
    }

    /// <summary>The launch: blocks of the threads that take their part in the fewest equal turns.</summary>
    public LaunchConfiguration Launch
    {
        get
        {
            var turns = (PerBlock - 1) / MapLaunch.Threads + 1;
            var threads = ((PerBlock + turns - 1) / turns + 31) / 32 * 32;
            return new((Threads - 1) / PerBlock + 1, threads);
        }
    }

    /// <summary>The walk over the outputs.</summary>
    /// <param name="problem">The sizes, of tensors that are not empty.</param>
    /// <param name="layout">The layout.</param>
    /// <param name="type">The elements' type.</param>
    /// <param name="width">Channels to a thread; 1 in NCHW.</param>
    /// <exception cref="EngineNotSupportedException">More elements than an int counts.</exception>
    public static AdaptiveGeometry Forward(in AdaptivePoolingProblem problem, Layout layout, DType type, int width) => new(problem, layout, type, width, forward: true);

    /// <summary>The walk over the inputs.</summary>
    /// <inheritdoc cref="Forward"/>
    public static AdaptiveGeometry Backward(in AdaptivePoolingProblem problem, Layout layout, DType type, int width) => new(problem, layout, type, width, forward: false);

    /// <summary>Whether the last product of an index and a size, rounded up, leaves an int.</summary>
    private static bool NeedsLong(int size, int count) => (long)size * count + Math.Max(size, count) > int.MaxValue;

    /// <summary>Vectors of channels side by side in a block: equal slices of whole sectors.</summary>
    private static int SliceOf(int channelVectors, int bytes)
    {
        var most = SliceBytes / bytes;
        if (channelVectors <= most) return channelVectors;
        var slices = (channelVectors + most - 1) / most;
        var sector = Math.Max(1, SectorBytes / bytes);
        return ((channelVectors + slices - 1) / slices + sector - 1) / sector * sector;
    }

    /// <summary>Lanes to a window: none is idle in an average window, and a group is a part of a warp.</summary>
    private static int LanesOf(in AdaptivePoolingProblem p, int vectors)
    {
        var (height, width) = ((p.H - 1) / p.P + 1, (p.W - 1) / p.Q + 1);
        if ((long)height * width < LargeWindow || !BitOperations.IsPow2(vectors) || vectors > 32) return 1;
        return 1 << BitOperations.Log2((uint)Math.Min(width, 32 / vectors));
    }

    private static int StripOf(int rows, long threadsPerStrip)
    {
        var strip = TallestStrip;
        while (strip > ShortestStrip && threadsPerStrip * ((rows - 1) / strip + 1) < EnoughThreads) strip /= 2;
        var strips = (rows - 1) / strip + 1;
        return (rows - 1) / strips + 1;
    }

    /// <summary>
    /// Strips that a block takes: whole planes, or equal parts of one, that fill the block's threads and are long against the row that two
    /// blocks share, if any, but leave every multiprocessor a block.
    /// </summary>
    private static int StripsPerBlock(int strips, int others, bool shares, int perStrip, long planes)
    {
        var wanted = Math.Max(MapLaunch.Threads / perStrip, shares ? ((long)RowsPerSharedRow * strips + others - 1) / others : 1);
        var taken = (int)(wanted >= strips ? Math.Min(wanted / strips, planes) * strips : (strips - 1) / (strips / wanted) + 1);
        taken = Math.Min(taken, Math.Max(1, MostPerBlock / perStrip));
        while (taken > 1 && (long)taken * perStrip > 2 * MapLaunch.Threads && planes * strips / taken < EnoughBlocks) taken = (taken + 1) / 2;
        return taken;
    }
}
