namespace CnnNative.Engines.Native;

/// <summary>A pair of phases, rows and columns: its geometry as a convolution of dy, its filters, and where in dx it writes. Padding must be zeros.</summary>
internal readonly record struct DataGradientPhase(GradientPhase Rows, GradientPhase Columns)
{
    /// <summary>Whether no pixel of dx belongs to the phase.</summary>
    public bool IsEmpty => Rows.Count == 0 || Columns.Count == 0;

    /// <summary>Taps of the window that the phase meets.</summary>
    public int Taps => Rows.Taps * Columns.Taps;

    /// <summary>Phases of a problem, empty ones included.</summary>
    public static int Count(in ConvolutionProblem p) => p.StrideH * p.StrideW;

    /// <summary>One phase.</summary>
    public static DataGradientPhase At(in ConvolutionProblem p, int index) => new(
        GradientPhase.Of(index / p.StrideW, p.H, p.PadTop, p.StrideH, p.DilationH, p.R),
        GradientPhase.Of(index % p.StrideW, p.W, p.PadLeft, p.StrideW, p.DilationW, p.S));

    /// <summary>Output pixels of the largest phase, and taps of the one that meets most.</summary>
    public static (long Pixels, long Taps) Largest(in ConvolutionProblem p)
    {
        long pixels = 0, taps = 0;
        for (var i = 0; i < Count(p); i++)
        {
            var phase = At(p, i);
            pixels = Math.Max(pixels, (long)p.N * phase.Rows.Count * phase.Columns.Count);
            taps = Math.Max(taps, phase.Taps);
        }

        return (pixels, taps);
    }

    /// <summary>Elements of the phase's filters, all groups.</summary>
    public long FilterCount(in ConvolutionProblem p) => (long)p.K * (p.C / p.Groups) * Taps;

    /// <summary>The phase as a convolution: dy is read, dx written.</summary>
    public ConvGeometry Geometry(in ConvolutionProblem p, Layout dy, Layout dx)
    {
        var target = ImageStrides.Of(dx, p.C, p.H, p.W);
        return new ConvGeometry
        {
            In = ImageStrides.Of(dy, p.K, p.P, p.Q),
            Out = target with { Row = target.Row * p.StrideH, Column = target.Column * p.StrideW },
            Images = p.N, Channels = p.K / p.Groups, Height = p.P, Width = p.Q,
            Filters = p.C / p.Groups, OutHeight = Rows.Count, OutWidth = Columns.Count,
            WindowHeight = Rows.Taps, WindowWidth = Columns.Taps, StrideH = 1, StrideW = 1,
            OriginH = Rows.Origin, OriginW = Columns.Origin, TapH = Rows.Step, TapW = Columns.Step,
        }.Divided();
    }

    /// <summary>The first element of dx that the phase writes.</summary>
    public long Start(in ConvolutionProblem p, Layout dx)
    {
        var target = ImageStrides.Of(dx, p.C, p.H, p.W);
        return (long)Rows.First * target.Row + (long)Columns.First * target.Column;
    }
}
