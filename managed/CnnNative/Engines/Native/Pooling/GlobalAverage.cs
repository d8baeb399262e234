using System.Numerics;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>How the kernels of native/kernels/pool/global_average_pool.cu share the average of whole images.</summary>
/// <param name="Launch">The launch.</param>
/// <param name="Bits">Logarithm of the lanes to a plane (NCHW), or of the vectors of channels to a block (NHWC).</param>
/// <param name="Slices">Blocks to an image in NHWC.</param>
internal readonly record struct GlobalAverage(LaunchConfiguration Launch, int Bits, FastDivisor Slices)
{
    /// <summary>Threads and blocks that fill the largest devices.</summary>
    private const int EnoughThreads = 1 << 17, EnoughBlocks = 264;

    /// <summary>Vectors that a lane has on their way at once.</summary>
    private const int VectorsAtOnce = 4;

    /// <summary>Logarithms: a whole block, a warp, 8 vectors or 128 bytes of channels, 4 lanes.</summary>
    private const int BlockBits = 8, WarpBits = 5, LineBits = 3, FewestLaneBits = 2;

    /// <summary>Whether a pooling is the average of whole images that these kernels take: aligned, in NHWC of whole vectors of channels.</summary>
    public static bool Takes(in PoolingProblem p, Layout layout, DType type, bool aligned) =>
        aligned && p is { PadH: 0, PadW: 0 } && (p.R, p.S) == (p.H, p.W) && (layout == Layout.Nchw || p.C % MapLaunch.Width(type) == 0);

    /// <summary>
    /// NCHW: so many lanes to a plane that each has <see cref="VectorsAtOnce"/> vectors of it; more where planes are few, down to one vector
    /// to a lane, and the whole block for the largest.
    /// </summary>
    /// <exception cref="EngineNotSupportedException">More elements than an int counts.</exception>
    public static GlobalAverage PlanesForward(in PoolingProblem p, DType type)
    {
        Index32.Of("AvgPool2d", p.InputShape.Count);
        var (planes, vectors) = ((long)p.N * p.C, p.H * p.W / MapLaunch.Width(type));
        var bits = Math.Clamp(CeilLog2(vectors / VectorsAtOnce), FewestLaneBits, WarpBits);
        while (bits < WarpBits && planes << bits < EnoughThreads && 1 << bits < vectors) bits++;
        if (bits == WarpBits && planes << bits < EnoughThreads && vectors >= VectorsAtOnce << WarpBits) bits = BlockBits;
        return new(MapLaunch.Over(Index32.Of("AvgPool2d", planes << bits)), bits, default);
    }

    /// <summary>NHWC, both passes: slices of up to 32 vectors of channels, of fewer where blocks are few.</summary>
    /// <exception cref="EngineNotSupportedException">More elements than an int counts.</exception>
    public static GlobalAverage Channels(in PoolingProblem p, DType type)
    {
        Index32.Of("AvgPool2d", p.InputShape.Count);
        var vectors = p.C / MapLaunch.Width(type);
        var bits = Math.Min(CeilLog2(vectors), WarpBits);
        while (bits > LineBits && (long)p.N * SlicesOf(vectors, bits) < EnoughBlocks) bits--;
        var slices = SlicesOf(vectors, bits);
        return new(new(p.N * slices, MapLaunch.Threads), bits, new(slices));
    }

    private static int SlicesOf(int vectors, int bits) => (vectors - 1 >> bits) + 1;

    /// <summary>The least b with 2^b at least a count.</summary>
    private static int CeilLog2(int count) => count < 2 ? 0 : BitOperations.Log2((uint)count - 1) + 1;
}
