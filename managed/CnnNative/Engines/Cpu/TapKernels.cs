using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>The tiles of <see cref="TapTile"/> for the vectors of this machine, chosen once.</summary>
internal static unsafe class TapKernels
{
    private static readonly delegate*<int, float*, nint, nint, float*, nint*, float*, nint, bool, void>[] Tiles = Choose();

    /// <summary>Floats past the last output that a tile may read.</summary>
    public static int Slack => GemmKernels.Columns;

    /// <summary>The tile of so many filters (1 to <see cref="GemmKernels.Rows"/>) and vectors (1 to 3).</summary>
    public static delegate*<int, float*, nint, nint, float*, nint*, float*, nint, bool, void> Tile(int rows, int vectors) =>
        Tiles[(rows - 1) * GemmTile.MostVectors + vectors - 1];

    private static delegate*<int, float*, nint, nint, float*, nint*, float*, nint, bool, void>[] Choose() =>
        Vector512.IsHardwareAccelerated ? All<Simd512, Vector512<float>>()
        : Vector256.IsHardwareAccelerated ? All<Simd256, Vector256<float>>()
        : All<Simd128, Vector128<float>>();

    private static delegate*<int, float*, nint, nint, float*, nint*, float*, nint, bool, void>[] All<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector>
        where TVector : struct =>
    [
        &TapTile.Multiply<TSimd, TVector, One, One>, &TapTile.Multiply<TSimd, TVector, One, Two>, &TapTile.Multiply<TSimd, TVector, One, Three>,
        &TapTile.Multiply<TSimd, TVector, Two, One>, &TapTile.Multiply<TSimd, TVector, Two, Two>, &TapTile.Multiply<TSimd, TVector, Two, Three>,
        &TapTile.Multiply<TSimd, TVector, Three, One>, &TapTile.Multiply<TSimd, TVector, Three, Two>, &TapTile.Multiply<TSimd, TVector, Three, Three>,
        &TapTile.Multiply<TSimd, TVector, Four, One>, &TapTile.Multiply<TSimd, TVector, Four, Two>, &TapTile.Multiply<TSimd, TVector, Four, Three>,
        &TapTile.Multiply<TSimd, TVector, Five, One>, &TapTile.Multiply<TSimd, TVector, Five, Two>, &TapTile.Multiply<TSimd, TVector, Five, Three>,
        &TapTile.Multiply<TSimd, TVector, Six, One>, &TapTile.Multiply<TSimd, TVector, Six, Two>, &TapTile.Multiply<TSimd, TVector, Six, Three>,
        &TapTile.Multiply<TSimd, TVector, Seven, One>, &TapTile.Multiply<TSimd, TVector, Seven, Two>, &TapTile.Multiply<TSimd, TVector, Seven, Three>,
        &TapTile.Multiply<TSimd, TVector, Eight, One>, &TapTile.Multiply<TSimd, TVector, Eight, Two>, &TapTile.Multiply<TSimd, TVector, Eight, Three>,
    ];
}
