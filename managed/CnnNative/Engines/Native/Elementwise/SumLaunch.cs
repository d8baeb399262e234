using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>The first stage of a sum: so many blocks that memory is busy, so few that one block adds up their partial sums.</summary>
internal static class SumLaunch
{
    private const int MostBlocks = 1024, VectorsPerThread = 4;

    /// <summary>The launch for a number of elements; it depends on nothing else, so that sums do not depend on the device.</summary>
    public static LaunchConfiguration For(long count, DType type)
    {
        var perBlock = (long)MapLaunch.Threads * MapLaunch.Width(type) * VectorsPerThread;
        return new((int)Math.Clamp((count + perBlock - 1) / perBlock, 1, MostBlocks), MapLaunch.Threads);
    }
}
