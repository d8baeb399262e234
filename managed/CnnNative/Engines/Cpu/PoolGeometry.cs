namespace CnnNative.Engines.Cpu;

/// <summary>The sizes of a pooling problem, computed once, and where its windows touch the edges of a plane.</summary>
internal readonly struct PoolGeometry(in PoolingProblem problem)
{
    public readonly int H = problem.H, W = problem.W, P = problem.P, Q = problem.Q, R = problem.R, S = problem.S;
    public readonly int StrideH = problem.StrideH, StrideW = problem.StrideW, PadH = problem.PadH, PadW = problem.PadW;
    public readonly int DilationH = problem.DilationH, DilationW = problem.DilationW;
    public readonly bool CountIncludePad = problem.CountIncludePad;

    /// <summary>Elements of an input plane.</summary>
    public long InputPlane => (long)H * W;

    /// <summary>Elements of an output plane.</summary>
    public long OutputPlane => (long)P * Q;

    /// <summary>Planes worth waking a thread.</summary>
    public long Grain => 1 + (1 << 14) / Math.Max(1, Math.Max(InputPlane, OutputPlane * R * S / 4));

    /// <summary>Whether windows of 2 x 2 tile the plane, but for a last row or column that none of them sees.</summary>
    public bool IsHalving =>
        R == 2 && S == 2 && StrideH == 2 && StrideW == 2 && DilationH == 1 && DilationW == 1 && PadH == 0 && PadW == 0 && 2 * P <= H && 2 * Q <= W;

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

    private static (int First, int Last) Inside(int start, int window, int dilation, int size)
    {
        var first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
        var last = Math.Min(window, (size - start + dilation - 1) / dilation);
        return (first, Math.Max(first, last));
    }
}
