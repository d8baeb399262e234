namespace CnnNative.Engines.Native;

/// <summary>Rows or columns of a pooling: forward the results are those of y and the sources those of x, backward those of dx and dy.</summary>
/// <param name="Results">How many results.</param>
/// <param name="Sources">How many sources.</param>
/// <param name="Span">From the first to the last element of a window.</param>
/// <param name="Stride">From window to window.</param>
/// <param name="IsBackward">Whether results are those of dx.</param>
internal readonly record struct PoolAxis(int Results, int Sources, int Span, int Stride, bool IsBackward)
{
    public static PoolAxis Rows(in PoolingProblem p, bool backward) => Of(p.H, p.P, p.R, p.DilationH, p.StrideH, backward);

    public static PoolAxis Columns(in PoolingProblem p, bool backward) => Of(p.W, p.Q, p.S, p.DilationW, p.StrideW, backward);

    /// <summary>The most sources that neighbouring results see, padding included.</summary>
    public int Seen(int results) => IsBackward ? (results + Span - 2) / Stride + 1 : (results - 1) * Stride + Span;

    /// <summary>The most results that see no more than so many sources; none if not even one does.</summary>
    public int Fitting(int sources) => Math.Min(Results, IsBackward ? sources * Stride - Span + 1 : sources < Span ? 0 : (sources - Span) / Stride + 1);

    /// <summary>Sources that so many tiles fetch together: neighbours share what windows over their border see.</summary>
    public int Fetched(int tiles) => Sources + (tiles - 1) * (IsBackward ? (Span - 2 + Stride) / Stride : Math.Max(0, Span - Stride));

    private static PoolAxis Of(int size, int outputs, int window, int dilation, int stride, bool backward) =>
        new(backward ? size : outputs, backward ? outputs : size, (window - 1) * dilation + 1, stride, backward);
}
