using System.Runtime.InteropServices;

namespace CnnNative.Engines.Native;

/// <summary>A regular set of blocks in units of a kernel; the twin of the structure in native/kernels/layout/block_copy.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct BlockCopyPlan
{
    public readonly long SourceStart, SourceStep, TargetStart, TargetStep;
    public readonly int Count;
    public readonly FastDivisor Length;

    /// <summary>The plan for blocks whose figures are in units already.</summary>
    public BlockCopyPlan(in BlockCopy blocks)
    {
        (SourceStart, SourceStep, TargetStart, TargetStep) = (blocks.SourceStart, blocks.SourceStep, blocks.TargetStart, blocks.TargetStep);
        Count = checked((int)(blocks.Count * blocks.Length));
        Length = new(checked((int)blocks.Length));
    }

    /// <summary>
    /// The widest unit, 1 to 16 bytes, that divides the figures of blocks and both addresses, whose low bits are given; and the
    /// same blocks in that unit.
    /// </summary>
    public static (int UnitBytes, BlockCopy Blocks) Widen(in BlockCopy blocks, int elementBytes, ulong addresses)
    {
        const int widest = 16;
        var (start, step) = (blocks.SourceStart | blocks.TargetStart, blocks.Count > 1 ? blocks.SourceStep | blocks.TargetStep : 0);
        var bits = (ulong)((start | step | blocks.Length) * elementBytes) | addresses | widest;
        var unit = (int)(bits & (~bits + 1));
        return (unit, new(
            blocks.Count, blocks.Length * elementBytes / unit, blocks.SourceStart * elementBytes / unit, blocks.SourceStep * elementBytes / unit,
            blocks.TargetStart * elementBytes / unit, blocks.TargetStep * elementBytes / unit));
    }
}
