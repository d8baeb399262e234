namespace CnnNative.Engines.Native;

/// <summary>A pair of phases, rows and columns: its geometry as a convolution of dy, its filters, and where in dx it writes.</summary>
internal readonly record struct DataGradientPhase(GradientPhase Rows, GradientPhase Columns)
{
    /// <summary>The phases of a problem that write anything. Padding must be zeros.</summary>
    public static List<DataGradientPhase> Of(in ConvolutionProblem p)
    {
        var phases = new List<DataGradientPhase>(p.StrideH * p.StrideW);
        for (var a = 0; a < p.StrideH; a++)
        {
            var rows = GradientPhase.Of(a, p.H, p.PadTop, p.StrideH, p.DilationH, p.R);
            for (var b = 0; b < p.StrideW; b++)
            {
                var columns = GradientPhase.Of(b, p.W, p.PadLeft, p.StrideW, p.DilationW, p.S);
                if (rows.Count > 0 && columns.Count > 0) phases.Add(new(rows, columns));
            }
        }

        return phases;
    }

    /// <summary>Elements of the phase's filters, all groups.</summary>
    public long FilterCount(in ConvolutionProblem p) => (long)p.K * (p.C / p.Groups) * Rows.Taps * Columns.Taps;

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
