using System.Runtime.InteropServices;

namespace CnnNative.Engines.Native;

/// <summary>Sizes and settings of a cross-entropy; the twin of the structure in native/kernels/loss/cross_entropy.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct CrossEntropyProblem
{
    public readonly long Lines, Inner, IgnoreIndex;
    public readonly int Classes, Mean;
    public readonly float Hit, Spread;

    public CrossEntropyProblem(in AxisLines lines, in CrossEntropySettings settings)
    {
        (Lines, Inner, IgnoreIndex) = (lines.Count, lines.Inner, settings.IgnoreIndex);
        (Classes, Mean) = (Index32.Of("CrossEntropy", lines.Size), settings.Reduction == Reduction.Mean ? 1 : 0);
        (Hit, Spread) = ((float)(1.0 - settings.LabelSmoothing), lines.Size == 0 ? 0 : settings.LabelSmoothing / lines.Size);
    }
}
