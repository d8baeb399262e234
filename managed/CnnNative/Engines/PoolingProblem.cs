namespace CnnNative.Engines;

/// <summary>The sizes of one two-dimensional pooling: x (N, C, H, W) -> y (N, C, P, Q) over windows of R x S.</summary>
public readonly record struct PoolingProblem
{
    /// <summary>Images.</summary>
    public required int N { get; init; }

    /// <summary>Channels.</summary>
    public required int C { get; init; }

    /// <summary>Input height.</summary>
    public required int H { get; init; }

    /// <summary>Input width.</summary>
    public required int W { get; init; }

    /// <summary>Window height.</summary>
    public required int R { get; init; }

    /// <summary>Window width.</summary>
    public required int S { get; init; }

    /// <summary>Rows added above and below; a maximum never picks them.</summary>
    public int PadH { get; init; }

    /// <summary>Columns added left and right; a maximum never picks them.</summary>
    public int PadW { get; init; }

    /// <summary>Vertical step.</summary>
    public int StrideH { get; init; }

    /// <summary>Horizontal step.</summary>
    public int StrideW { get; init; }

    /// <summary>Vertical distance within the window; maximum only.</summary>
    public int DilationH { get; init; }

    /// <summary>Horizontal distance within the window; maximum only.</summary>
    public int DilationW { get; init; }

    /// <summary>Round the output size up: a last window may hang over the edge, if it starts inside the image or its leading padding.</summary>
    public bool CeilMode { get; init; }

    /// <summary>Average only: whether padded zeros count in the divisor.</summary>
    public bool CountIncludePad { get; init; }

    /// <summary>Output height.</summary>
    public int P => OutputSize(H, R, PadH, StrideH, DilationH, CeilMode);

    /// <summary>Output width.</summary>
    public int Q => OutputSize(W, S, PadW, StrideW, DilationW, CeilMode);

    /// <summary>Shape of x.</summary>
    public Shape InputShape => [N, C, H, W];

    /// <summary>Shape of y.</summary>
    public Shape OutputShape => [N, C, P, Q];

    /// <summary>
    /// How a maximum's place is stored: its position r * S + s in the window, in one byte where the window has at most
    /// 256 positions.
    /// </summary>
    public DType ArgumentType => R * S <= 256 ? DType.UInt8 : DType.Int32;

    private static int OutputSize(int size, int window, int pad, int stride, int dilation, bool ceil)
    {
        var span = size + 2 * pad - dilation * (window - 1) - 1;
        var count = (span + (ceil ? stride - 1 : 0)) / stride + 1;
        // A window that starts in the trailing padding sees no pixel at all.
        return ceil && (count - 1) * stride >= size + pad ? count - 1 : count;
    }

    /// <summary>The sizes in one line, for messages.</summary>
    public override string ToString() =>
        $"x {InputShape}, window ({R}, {S}), stride ({StrideH}, {StrideW}), padding ({PadH}, {PadW}), dilation ({DilationH}, {DilationW})";
}
