using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Transforms of Winograd tiles whose channels lie side by side, for the vectors of this machine, chosen once. Each takes the tile x,
/// the distances of its rows and columns, the transformed tile y with its distances, and the number of channels, a multiple of the
/// vector's width.
/// </summary>
internal static unsafe class WinogradKernels
{
    /// <summary>Floats in the widest vector.</summary>
    private const int Widest = 16;

    private static readonly delegate*<float*, nint, nint, float*, nint, nint, int, void>[] Tiles = Choose();

    /// <summary>6 x 6 pixels to 6 x 6 points.</summary>
    public static delegate*<float*, nint, nint, float*, nint, nint, int, void> Pixels => Tiles[0];

    /// <summary>3 x 3 taps to 6 x 6 points.</summary>
    public static delegate*<float*, nint, nint, float*, nint, nint, int, void> Filter => Tiles[1];

    /// <summary>4 x 4 gradients of outputs to 6 x 6 points.</summary>
    public static delegate*<float*, nint, nint, float*, nint, nint, int, void> OutputGradient => Tiles[2];

    /// <summary>6 x 6 points to 4 x 4 outputs.</summary>
    public static delegate*<float*, nint, nint, float*, nint, nint, int, void> Output => Tiles[3];

    /// <summary>6 x 6 points to the gradients of 3 x 3 taps.</summary>
    public static delegate*<float*, nint, nint, float*, nint, nint, int, void> FilterGradient => Tiles[4];

    private static delegate*<float*, nint, nint, float*, nint, nint, int, void>[] Choose() =>
        Vector512.IsHardwareAccelerated ? All<Simd512, Vector512<float>>()
        : Vector256.IsHardwareAccelerated ? All<Simd256, Vector256<float>>()
        : All<Simd128, Vector128<float>>();

    private static delegate*<float*, nint, nint, float*, nint, nint, int, void>[] All<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector>
        where TVector : struct =>
    [
        &Transform<TSimd, TVector, WinogradPixels>,
        &Transform<TSimd, TVector, WinogradFilter<Three>>,
        &Transform<TSimd, TVector, WinogradFilter<Four>>,
        &Transform<TSimd, TVector, WinogradResult<Four>>,
        &Transform<TSimd, TVector, WinogradResult<Three>>,
    ];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static void Transform<TSimd, TVector, TLine>(float* x, nint xRow, nint xColumn, float* y, nint yRow, nint yColumn, int channels)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TLine : struct, IWinogradLine
    {
        // Rows that are transformed, before their columns are; aligned, so that no vector lies across two cache lines.
        var room = stackalloc float[6 * 6 * Widest + Widest];
        var rows = (float*)(((nint)room + (Widest * sizeof(float) - 1)) & -(Widest * sizeof(float)));
        nint width = TSimd.Width, pitch = TLine.Out * width;
        for (; channels > 0; channels -= TSimd.Width)
        {
            for (nint i = 0; i < TLine.In; i++) TLine.Apply<TSimd, TVector>(x + i * xRow, xColumn, rows + i * pitch, width);
            for (nint j = 0; j < TLine.Out; j++) TLine.Apply<TSimd, TVector>(rows + j * width, pitch, y + j * yColumn, yRow);
            x += width;
            y += width;
        }
    }
}
