using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Who works on a line of a softmax; see native/kernels/activation/softmax_lines.h.</summary>
internal enum LineTeam
{
    /// <summary>A warp holds a short row in registers.</summary>
    Warp,

    /// <summary>A block holds a long row in registers, or reads it again and again.</summary>
    Block,

    /// <summary>Neighbouring threads take neighbouring lines.</summary>
    Thread,
}

/// <summary>How kernels over the lines of a tensor are launched.</summary>
/// <param name="Team">Who works on a line.</param>
/// <param name="Launch">The grid.</param>
internal readonly record struct LineLaunch(LineTeam Team, LaunchConfiguration Launch)
{
    /// <summary>Longest row that a warp holds.</summary>
    public const int WarpRowLimit = 256;

    /// <summary>The launch for lines.</summary>
    public static LineLaunch For(in AxisLines lines)
    {
        _ = Index32.Of("line", lines.Size);
        if (lines.Inner > 1) return new(LineTeam.Thread, MapLaunch.Over(lines.Count));
        return lines.Size <= WarpRowLimit
            ? new(LineTeam.Warp, MapLaunch.Warps(lines.Count))
            : new(LineTeam.Block, new(Index32.Of("lines", lines.Count), MapLaunch.Threads));
    }
}
