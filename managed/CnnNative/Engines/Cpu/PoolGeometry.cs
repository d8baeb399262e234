namespace CnnNative.Engines.Cpu;

/// <summary>The sizes of a pooling problem, computed once, and where its windows touch the edges of a plane.</summary>
internal readonly struct PoolGeometry
{
    public readonly int H, W, P, Q, R, S, StrideH, StrideW, PadH, PadW, DilationH, DilationW;

    public readonly bool CountIncludePad;

    /// <summary>Whether windows of 2 x 2 tile the plane, but for a last row or column that none of them sees.</summary>
    public readonly bool IsHalving;

    /// <summary>Whether some window has no element in the image: a dilated one can step over it.</summary>
    public readonly bool HasBlindWindows;

    public PoolGeometry(in PoolingProblem problem)
    {
        (H, W, P, Q, R, S) = (problem.H, problem.W, problem.P, problem.Q, problem.R, problem.S);
        (StrideH, StrideW, PadH, PadW) = (problem.StrideH, problem.StrideW, problem.PadH, problem.PadW);
        (DilationH, DilationW, CountIncludePad) = (problem.DilationH, problem.DilationW, problem.CountIncludePad);
        IsHalving = (R, S, StrideH, StrideW, DilationH, DilationW, PadH, PadW) == (2, 2, 2, 2, 1, 1, 0, 0) && 2 * P <= H && 2 * Q <= W;
        for (var row = 0; row < P; row++) HasBlindWindows |= !SeesRows(row);
        for (var column = 0; column < Q; column++) HasBlindWindows |= !SeesColumns(column);
    }

    /// <summary>Elements of an input plane.</summary>
    public long InputPlane => (long)H * W;

    /// <summary>Elements of an output plane.</summary>
    public long OutputPlane => (long)P * Q;

    /// <summary>Planes worth waking a thread.</summary>
    public long Grain => 1 + (1 << 14) / Math.Max(1, Math.Max(InputPlane, OutputPlane * R * S / 4));

    /// <summary>Whether windows can be taken sixteen neighbours at a time.</summary>
    public bool HasVectorStride => StrideW == 1 || (StrideW == 2 && DilationW == 1);

    /// <summary>First input row of the windows of an output row; may be negative.</summary>
    public int Top(int row) => row * StrideH - PadH;

    /// <summary>First input column of a window; may be negative.</summary>
    public int Left(int column) => column * StrideW - PadW;

    /// <summary>The rows of a window from <paramref name="top"/> that lie in the image: First up to, not including, Last.</summary>
    public (int First, int Last) RowsInside(int top) => Inside(top, R, DilationH, H);

    /// <summary>The columns of a window from <paramref name="left"/> that lie in the image.</summary>
    public (int First, int Last) ColumnsInside(int left) => Inside(left, S, DilationW, W);

    /// <summary>The output columns whose windows lie in the image from left to right: First up to, not including, Last.</summary>
    public (int First, int Last) WholeColumns()
    {
        var first = Math.Min(Q, (PadW + StrideW - 1) / StrideW);
        var room = W - 1 + PadW - (S - 1) * DilationW;
        var last = room < 0 ? 0 : Math.Min(Q, room / StrideW + 1);
        return (first, Math.Max(first, last));
    }

    /// <summary>Whether a window has an element in the image.</summary>
    public bool Sees(int row, int column) => SeesRows(row) && SeesColumns(column);

    private bool SeesRows(int row) => RowsInside(Top(row)) is var (first, last) && first < last;

    private bool SeesColumns(int column) => ColumnsInside(Left(column)) is var (first, last) && first < last;

    private static (int First, int Last) Inside(int start, int window, int dilation, int size)
    {
        var first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
        var last = Math.Min(window, (size - start + dilation - 1) / dilation);
        return (first, Math.Max(first, last));
    }
}
