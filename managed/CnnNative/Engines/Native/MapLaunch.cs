using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Launches of kernels whose threads take a fixed number of elements each.</summary>
internal static class MapLaunch
{
    /// <summary>Threads of a block.</summary>
    public const int Threads = 256;

    private const int VectorBytes = 16, WarpThreads = 32, CastWidth = 8;

    /// <summary>Elements of a data type in 16 bytes: what one thread of native/kernels/common/map.h computes.</summary>
    public static int Width(DType type) => VectorBytes / type.Size();

    /// <summary>16 bytes of the output per thread.</summary>
    public static LaunchConfiguration For(Tensor y) => Over(y.Count, Width(y.DType));

    /// <summary>Elements that change their type, eight per thread: 16 bytes of the narrower one.</summary>
    public static LaunchConfiguration ForCast(long count) => Over(count, CastWidth);

    /// <summary>A warp for each.</summary>
    public static LaunchConfiguration Warps(long count) => Over(WarpThreads * count);

    /// <summary>So many elements per thread, in blocks of <see cref="Threads"/>; at least one block.</summary>
    /// <exception cref="EngineNotSupportedException">The grid would be larger than CUDA allows.</exception>
    public static LaunchConfiguration Over(long count, int perThread = 1)
    {
        var perBlock = (long)Threads * perThread;
        return new(Index32.Of("launch", Math.Max(1, (count + perBlock - 1) / perBlock)), Threads);
    }
}
