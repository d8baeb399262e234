namespace CnnNative.Engines;

/// <summary>
/// The sizes of one adaptive pooling: x (N, C, H, W) -> y (N, C, P, Q). Output row p sees the input rows floor(p H / P) up to, not
/// including, ceil((p + 1) H / P), columns likewise: windows overlap by at most one row where P is below H, and repeat rows where it is above.
/// </summary>
public readonly record struct AdaptivePoolingProblem
{
    /// <summary>Images.</summary>
    public required int N { get; init; }

    /// <summary>Channels.</summary>
    public required int C { get; init; }

    /// <summary>Input height, at least 1.</summary>
    public required int H { get; init; }

    /// <summary>Input width, at least 1.</summary>
    public required int W { get; init; }

    /// <summary>Output height, at least 1; it may exceed H.</summary>
    public required int P { get; init; }

    /// <summary>Output width, at least 1; it may exceed W.</summary>
    public required int Q { get; init; }

    /// <summary>Shape of x.</summary>
    public Shape InputShape => [N, C, H, W];

    /// <summary>Shape of y.</summary>
    public Shape OutputShape => [N, C, P, Q];

    /// <summary>The ordinary pooling that is the same where all windows have one size: P divides H, and Q divides W; else null.</summary>
    public PoolingProblem? Even => H % P == 0 && W % Q == 0
        ? new PoolingProblem { N = N, C = C, H = H, W = W, R = H / P, S = W / Q, StrideH = H / P, StrideW = W / Q, DilationH = 1, DilationW = 1 }
        : null;

    /// <summary>The sizes in one line, for messages.</summary>
    public override string ToString() => $"x {InputShape}, output ({P}, {Q})";
}
