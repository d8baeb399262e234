using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>The tiles of <see cref="GemmTile"/> for the vectors of this machine, chosen once.</summary>
internal static unsafe class GemmKernels
{
    private static readonly delegate*<int, float*, nint, nint, float*, nint, float*, nint, bool, void>[] Tiles = Choose();

    /// <summary>Floats in a vector.</summary>
    public static int Width { get; } = Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;

    /// <summary>Rows of a full tile: with the accumulators, what the registers hold.</summary>
    public static int Rows { get; } = Vector512.IsHardwareAccelerated || !Vector256.IsHardwareAccelerated ? 8 : 4;

    /// <summary>Columns of a full tile.</summary>
    public static int Columns { get; } = GemmTile.MostVectors * Width;

    /// <summary>The tile of so many rows (1 to <see cref="Rows"/>) and vectors (1 to 3).</summary>
    public static delegate*<int, float*, nint, nint, float*, nint, float*, nint, bool, void> Tile(int rows, int vectors) =>
        Tiles[(rows - 1) * GemmTile.MostVectors + vectors - 1];

    private static delegate*<int, float*, nint, nint, float*, nint, float*, nint, bool, void>[] Choose() =>
        Vector512.IsHardwareAccelerated ? All<Simd512, Vector512<float>>()
        : Vector256.IsHardwareAccelerated ? All<Simd256, Vector256<float>>()
        : All<Simd128, Vector128<float>>();

    private static delegate*<int, float*, nint, nint, float*, nint, float*, nint, bool, void>[] All<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector>
        where TVector : struct =>
    [
        &GemmTile.Multiply<TSimd, TVector, One, One>, &GemmTile.Multiply<TSimd, TVector, One, Two>, &GemmTile.Multiply<TSimd, TVector, One, Three>,
        &GemmTile.Multiply<TSimd, TVector, Two, One>, &GemmTile.Multiply<TSimd, TVector, Two, Two>, &GemmTile.Multiply<TSimd, TVector, Two, Three>,
        &GemmTile.Multiply<TSimd, TVector, Three, One>, &GemmTile.Multiply<TSimd, TVector, Three, Two>, &GemmTile.Multiply<TSimd, TVector, Three, Three>,
        &GemmTile.Multiply<TSimd, TVector, Four, One>, &GemmTile.Multiply<TSimd, TVector, Four, Two>, &GemmTile.Multiply<TSimd, TVector, Four, Three>,
        &GemmTile.Multiply<TSimd, TVector, Five, One>, &GemmTile.Multiply<TSimd, TVector, Five, Two>, &GemmTile.Multiply<TSimd, TVector, Five, Three>,
        &GemmTile.Multiply<TSimd, TVector, Six, One>, &GemmTile.Multiply<TSimd, TVector, Six, Two>, &GemmTile.Multiply<TSimd, TVector, Six, Three>,
        &GemmTile.Multiply<TSimd, TVector, Seven, One>, &GemmTile.Multiply<TSimd, TVector, Seven, Two>, &GemmTile.Multiply<TSimd, TVector, Seven, Three>,
        &GemmTile.Multiply<TSimd, TVector, Eight, One>, &GemmTile.Multiply<TSimd, TVector, Eight, Two>, &GemmTile.Multiply<TSimd, TVector, Eight, Three>,
    ];
}
