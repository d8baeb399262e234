using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>The tiles of <see cref="DotTile"/> for the vectors of this machine, chosen once.</summary>
internal static unsafe class DotKernels
{
    private static readonly delegate*<int, int, float*, nint, nint, float*, nint, nint*, float*, nint, void>[] Tiles = Choose();

    /// <summary>Rows of a full tile: with their accumulators, what the registers hold.</summary>
    public static int Rows { get; } = Vector512.IsHardwareAccelerated || !Vector256.IsHardwareAccelerated ? DotTile.MostRows : 2;

    /// <summary>The tile of so many rows (1 to <see cref="Rows"/>) and taps (1 to <see cref="DotTile.MostTaps"/>).</summary>
    public static delegate*<int, int, float*, nint, nint, float*, nint, nint*, float*, nint, void> Tile(int rows, int taps) =>
        Tiles[(rows - 1) * DotTile.MostTaps + taps - 1];

    private static delegate*<int, int, float*, nint, nint, float*, nint, nint*, float*, nint, void>[] Choose() =>
        Vector512.IsHardwareAccelerated ? All<Simd512, Vector512<float>>()
        : Vector256.IsHardwareAccelerated ? All<Simd256, Vector256<float>>()
        : All<Simd128, Vector128<float>>();

    private static delegate*<int, int, float*, nint, nint, float*, nint, nint*, float*, nint, void>[] All<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector>
        where TVector : struct =>
    [
        &DotTile.Add<TSimd, TVector, One, One>, &DotTile.Add<TSimd, TVector, One, Two>, &DotTile.Add<TSimd, TVector, One, Three>,
        &DotTile.Add<TSimd, TVector, One, Four>, &DotTile.Add<TSimd, TVector, One, Five>, &DotTile.Add<TSimd, TVector, One, Six>,
        &DotTile.Add<TSimd, TVector, Two, One>, &DotTile.Add<TSimd, TVector, Two, Two>, &DotTile.Add<TSimd, TVector, Two, Three>,
        &DotTile.Add<TSimd, TVector, Two, Four>, &DotTile.Add<TSimd, TVector, Two, Five>, &DotTile.Add<TSimd, TVector, Two, Six>,
        &DotTile.Add<TSimd, TVector, Three, One>, &DotTile.Add<TSimd, TVector, Three, Two>, &DotTile.Add<TSimd, TVector, Three, Three>,
        &DotTile.Add<TSimd, TVector, Three, Four>, &DotTile.Add<TSimd, TVector, Three, Five>, &DotTile.Add<TSimd, TVector, Three, Six>,
        &DotTile.Add<TSimd, TVector, Four, One>, &DotTile.Add<TSimd, TVector, Four, Two>, &DotTile.Add<TSimd, TVector, Four, Three>,
        &DotTile.Add<TSimd, TVector, Four, Four>, &DotTile.Add<TSimd, TVector, Four, Five>, &DotTile.Add<TSimd, TVector, Four, Six>,
    ];
}
