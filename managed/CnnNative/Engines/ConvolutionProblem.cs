namespace CnnNative.Engines;

/// <summary>
/// The sizes of one two-dimensional convolution: x (N, C, H, W) * w (K, C / groups, R, S) -> y (N, K, P, Q), where
/// P = (H + top + bottom - dilationH * (R - 1) - 1) / strideH + 1, and Q likewise.
/// </summary>
public readonly record struct ConvolutionProblem
{
    /// <summary>Images.</summary>
    public required int N { get; init; }

    /// <summary>Input channels.</summary>
    public required int C { get; init; }

    /// <summary>Input height.</summary>
    public required int H { get; init; }

    /// <summary>Input width.</summary>
    public required int W { get; init; }

    /// <summary>Output channels (filters).</summary>
    public required int K { get; init; }

    /// <summary>Filter height.</summary>
    public required int R { get; init; }

    /// <summary>Filter width.</summary>
    public required int S { get; init; }

    /// <summary>Rows added above.</summary>
    public int PadTop { get; init; }

    /// <summary>Rows added below.</summary>
    public int PadBottom { get; init; }

    /// <summary>Columns added on the left.</summary>
    public int PadLeft { get; init; }

    /// <summary>Columns added on the right.</summary>
    public int PadRight { get; init; }

    /// <summary>Vertical step.</summary>
    public int StrideH { get; init; }

    /// <summary>Horizontal step.</summary>
    public int StrideW { get; init; }

    /// <summary>Vertical distance of filter taps.</summary>
    public int DilationH { get; init; }

    /// <summary>Horizontal distance of filter taps.</summary>
    public int DilationW { get; init; }

    /// <summary>Groups of channels that do not see each other; divides C and K.</summary>
    public int Groups { get; init; }

    /// <summary>What stands outside the image.</summary>
    public PaddingMode PaddingMode { get; init; }

    /// <summary>Output height.</summary>
    public int P => (H + PadTop + PadBottom - DilationH * (R - 1) - 1) / StrideH + 1;

    /// <summary>Output width.</summary>
    public int Q => (W + PadLeft + PadRight - DilationW * (S - 1) - 1) / StrideW + 1;

    /// <summary>Shape of x.</summary>
    public Shape InputShape => [N, C, H, W];

    /// <summary>Shape of w.</summary>
    public Shape WeightShape => [K, C / Groups, R, S];

    /// <summary>Shape of y.</summary>
    public Shape OutputShape => [N, K, P, Q];

    /// <summary>Multiply-adds of the forward pass.</summary>
    public long MultiplyAdds => (long)N * K * P * Q * (C / Groups) * R * S;

    /// <summary>Whether every channel is convolved by itself.</summary>
    public bool IsDepthwise => Groups == C && Groups > 1;

    /// <summary>Whether it is a product with a matrix at every pixel: a 1x1 filter with stride 1 and no padding.</summary>
    public bool IsPointwise => R == 1 && S == 1 && StrideH == 1 && StrideW == 1 && PadTop == 0 && PadBottom == 0 && PadLeft == 0 && PadRight == 0;

    /// <summary>Whether any padding is asked for.</summary>
    public bool HasPadding => (PadTop | PadBottom | PadLeft | PadRight) != 0;

    /// <summary>The sizes in one line, for messages.</summary>
    public override string ToString() =>
        $"x {InputShape} * w {WeightShape}, stride ({StrideH}, {StrideW}), padding ({PadTop}, {PadBottom}, {PadLeft}, {PadRight}) {PaddingMode}, "
        + $"dilation ({DilationH}, {DilationW}), groups {Groups}";
}
