namespace CnnNative.Interop;

/// <summary>Three sizes of a grid, a block or a cluster; never 0.</summary>
/// <param name="X">Fastest.</param>
/// <param name="Y">Second.</param>
/// <param name="Z">Slowest.</param>
public readonly record struct Dim3(int X, int Y = 1, int Z = 1)
{
    /// <summary>The product.</summary>
    public long Count => (long)X * Y * Z;

    /// <summary>One dimension.</summary>
    public static implicit operator Dim3(int x) => new(x);

    /// <inheritdoc/>
    public override string ToString() => $"({X}, {Y}, {Z})";
}

/// <summary>How a kernel is launched. A plain value: it is chosen by a pure function of the problem and compared in tests.</summary>
/// <param name="Grid">Blocks.</param>
/// <param name="Block">Threads of a block.</param>
/// <param name="SharedBytes">Dynamic shared memory of a block, in bytes.</param>
public readonly record struct LaunchConfiguration(Dim3 Grid, Dim3 Block, int SharedBytes = 0)
{
    /// <summary>Blocks of a cluster (Hopper and later); null for none.</summary>
    public Dim3? Cluster { get; init; }
}
