using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Who works on a line of a softmax; see native/kernels/activation/softmax.cu.</summary>
internal enum LineTeam
{
    /// <summary>A thread has a row of a few elements in shared memory, to which its block brings it.</summary>
    ShortRow,

    /// <summary>A warp holds a row in registers.</summary>
    Warp,

    /// <summary>A block holds a row in registers.</summary>
    Block,

    /// <summary>A larger block keeps a long row in shared memory, or reads it twice.</summary>
    LongRow,

    /// <summary>Neighbouring threads take neighbouring short lines.</summary>
    Thread,

    /// <summary>Eight threads take a long line, beside its neighbours.</summary>
    LongColumn,
}

/// <summary>How kernels over the lines of a tensor are launched.</summary>
/// <param name="Team">Who works on a line.</param>
/// <param name="Launch">The grid, and the shared memory in which lines are kept.</param>
/// <param name="Keeps">Whether a block has room for its lines, so that it reads them once.</param>
internal readonly record struct LineLaunch(LineTeam Team, LaunchConfiguration Launch, bool Keeps)
{
    /// <summary>Longest row that a warp holds, and that a block holds.</summary>
    public const int WarpRowLimit = 256, BlockRowLimit = 2048;

    /// <summary>Longest line that one thread takes.</summary>
    public const int ThreadLineLimit = 32;

    /// <summary>Threads of a block that takes a long row.</summary>
    public const int LongRowThreads = 512;

    private const int LongColumns = 32;

    /// <summary>
    /// Blocks that a multiprocessor needs to keep its memory busy where each has only <see cref="MapLaunch.Threads"/> threads with narrow
    /// loads: a bundle of lines that leaves room for fewer is read twice instead.
    /// </summary>
    private const int BlocksTogether = 4;

    /// <summary>Shared memory of a block beside what it keeps, rounded up: its own and the system's.</summary>
    private const int OtherBytes = 4096;

    /// <summary>The launch of a forward pass, which keeps lines as floats: exponentials take the place of x.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="sharedBytes">Shared memory that a block may have.</param>
    public static LineLaunch Forward(in AxisLines lines, int sharedBytes) => For(lines, sizeof(float), sizeof(float), sharedBytes);

    /// <summary>The launch of a backward pass, which keeps y and dy: rows as they are, columns and short rows as floats.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="type">Type of the elements.</param>
    /// <param name="sharedBytes">Shared memory that a block may have.</param>
    public static LineLaunch Backward(in AxisLines lines, DType type, int sharedBytes) => For(lines, 2 * type.Size(), 2 * sizeof(float), sharedBytes);

    private static LineLaunch For(in AxisLines lines, int rowBytes, int columnBytes, int sharedBytes)
    {
        _ = Index32.Of("line", lines.Size);
        if (lines.Inner > 1) return Column(lines, columnBytes, sharedBytes);
        return lines.Size is > 0 and <= ThreadLineLimit ? ShortRow(lines, columnBytes) : Row(lines, rowBytes, sharedBytes);
    }

    /// <summary>Rows stand an odd distance apart.</summary>
    private static LineLaunch ShortRow(in AxisLines lines, int bytes) =>
        new(LineTeam.ShortRow, MapLaunch.Over(lines.Count) with { SharedBytes = MapLaunch.Threads * ((int)lines.Size | 1) * bytes }, Keeps: true);

    private static LineLaunch Row(in AxisLines lines, int bytes, int sharedBytes)
    {
        if (lines.Size <= WarpRowLimit) return new(LineTeam.Warp, MapLaunch.Warps(lines.Count), Keeps: true);
        var blocks = Index32.Of("lines", lines.Count);
        if (lines.Size <= BlockRowLimit) return new(LineTeam.Block, new(blocks, MapLaunch.Threads), Keeps: true);
        var kept = lines.Size * bytes;
        return kept <= sharedBytes - OtherBytes
            ? new(LineTeam.LongRow, new(blocks, LongRowThreads, (int)kept), Keeps: true)
            : new(LineTeam.LongRow, new(blocks, LongRowThreads), Keeps: false);
    }

    private static LineLaunch Column(in AxisLines lines, int bytes, int sharedBytes)
    {
        if (lines.Size <= ThreadLineLimit)
            return new(LineTeam.Thread, MapLaunch.Over(lines.Count) with { SharedBytes = MapLaunch.Threads * (int)lines.Size * bytes }, Keeps: true);
        var blocks = Index32.Of("lines", (lines.Count + LongColumns - 1) / LongColumns);
        var kept = LongColumns * lines.Size * bytes;
        return kept <= sharedBytes / BlocksTogether - OtherBytes
            ? new(LineTeam.LongColumn, new(blocks, MapLaunch.Threads, (int)kept), Keeps: true)
            : new(LineTeam.LongColumn, new(blocks, MapLaunch.Threads), Keeps: false);
    }
}
