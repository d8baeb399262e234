using System.Runtime.CompilerServices;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// The innermost loop of the weight gradient: dot products of rows of dy with the image shifted by filter taps, over all
/// outputs of some images. Up to 4 rows x 6 taps: 24 accumulators, 4 vectors of dy and 1 of x fit the 32 registers of
/// AVX-512. The taps of a channel read the same lines of the first cache; only dy streams from the second.
/// </summary>
internal static unsafe class DotTile
{
    /// <summary>Most rows of a tile.</summary>
    public const int MostRows = 4;

    /// <summary>Most taps of a tile.</summary>
    public const int MostTaps = 6;

    /// <summary>dw[i * dwRow + j] += the sum over images n and outputs o of dy[n * dyImage + i * dyRow + o] x[n * xImage + taps[j] + o].</summary>
    /// <param name="images">Number of images.</param>
    /// <param name="length">Outputs of an image, a multiple of the vector's width.</param>
    /// <param name="dy">Gradient of the first image and row.</param>
    /// <param name="dyRow">Distance of rows of dy.</param>
    /// <param name="dyImage">Distance of images of dy.</param>
    /// <param name="x">Planes of the first image.</param>
    /// <param name="xImage">Distance of images of x.</param>
    /// <param name="taps">Distances of the taps.</param>
    /// <param name="dw">Gradient by the first filter and tap.</param>
    /// <param name="dwRow">Distance of filters of dw.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add<TSimd, TVector, TRows, TTaps>(
        int images, int length, float* dy, nint dyRow, nint dyImage, float* x, nint xImage, nint* taps, float* dw, nint dwRow)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TRows : struct, IConstant
        where TTaps : struct, IConstant
    {
        TVector c00 = TSimd.Splat(0f), c10 = c00, c20 = c00, c30 = c00;
        TVector c01 = c00, c11 = c00, c21 = c00, c31 = c00;
        TVector c02 = c00, c12 = c00, c22 = c00, c32 = c00;
        TVector c03 = c00, c13 = c00, c23 = c00, c33 = c00;
        TVector c04 = c00, c14 = c00, c24 = c00, c34 = c00;
        TVector c05 = c00, c15 = c00, c25 = c00, c35 = c00;
        for (; images > 0; images--)
        {
            float* x0 = x + taps[0], x1 = x0, x2 = x0, x3 = x0, x4 = x0, x5 = x0;
            if (TTaps.Value > 1) x1 = x + taps[1];
            if (TTaps.Value > 2) x2 = x + taps[2];
            if (TTaps.Value > 3) x3 = x + taps[3];
            if (TTaps.Value > 4) x4 = x + taps[4];
            if (TTaps.Value > 5) x5 = x + taps[5];
            var row = dy;
            for (var end = dy + length; row < end; row += TSimd.Width)
            {
                TVector d0 = TSimd.Load(row), d1 = d0, d2 = d0, d3 = d0;
                if (TRows.Value > 1) d1 = TSimd.Load(row + dyRow);
                if (TRows.Value > 2) d2 = TSimd.Load(row + 2 * dyRow);
                if (TRows.Value > 3) d3 = TSimd.Load(row + 3 * dyRow);
                AddTap<TSimd, TVector, TRows>(ref x0, d0, d1, d2, d3, ref c00, ref c10, ref c20, ref c30);
                if (TTaps.Value > 1) AddTap<TSimd, TVector, TRows>(ref x1, d0, d1, d2, d3, ref c01, ref c11, ref c21, ref c31);
                if (TTaps.Value > 2) AddTap<TSimd, TVector, TRows>(ref x2, d0, d1, d2, d3, ref c02, ref c12, ref c22, ref c32);
                if (TTaps.Value > 3) AddTap<TSimd, TVector, TRows>(ref x3, d0, d1, d2, d3, ref c03, ref c13, ref c23, ref c33);
                if (TTaps.Value > 4) AddTap<TSimd, TVector, TRows>(ref x4, d0, d1, d2, d3, ref c04, ref c14, ref c24, ref c34);
                if (TTaps.Value > 5) AddTap<TSimd, TVector, TRows>(ref x5, d0, d1, d2, d3, ref c05, ref c15, ref c25, ref c35);
            }

            dy += dyImage;
            x += xImage;
        }

        SumTap<TSimd, TVector, TRows>(dw, dwRow, c00, c10, c20, c30);
        if (TTaps.Value > 1) SumTap<TSimd, TVector, TRows>(dw + 1, dwRow, c01, c11, c21, c31);
        if (TTaps.Value > 2) SumTap<TSimd, TVector, TRows>(dw + 2, dwRow, c02, c12, c22, c32);
        if (TTaps.Value > 3) SumTap<TSimd, TVector, TRows>(dw + 3, dwRow, c03, c13, c23, c33);
        if (TTaps.Value > 4) SumTap<TSimd, TVector, TRows>(dw + 4, dwRow, c04, c14, c24, c34);
        if (TTaps.Value > 5) SumTap<TSimd, TVector, TRows>(dw + 5, dwRow, c05, c15, c25, c35);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTap<TSimd, TVector, TRows>(
        ref float* x, TVector d0, TVector d1, TVector d2, TVector d3, ref TVector c0, ref TVector c1, ref TVector c2, ref TVector c3)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TRows : struct, IConstant
    {
        var pixels = TSimd.Load(x);
        x += TSimd.Width;
        c0 = TSimd.MultiplyAdd(pixels, d0, c0);
        if (TRows.Value > 1) c1 = TSimd.MultiplyAdd(pixels, d1, c1);
        if (TRows.Value > 2) c2 = TSimd.MultiplyAdd(pixels, d2, c2);
        if (TRows.Value > 3) c3 = TSimd.MultiplyAdd(pixels, d3, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SumTap<TSimd, TVector, TRows>(float* dw, nint dwRow, TVector c0, TVector c1, TVector c2, TVector c3)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TRows : struct, IConstant
    {
        dw[0] += TSimd.Sum(c0);
        if (TRows.Value > 1) dw[dwRow] += TSimd.Sum(c1);
        if (TRows.Value > 2) dw[2 * dwRow] += TSimd.Sum(c2);
        if (TRows.Value > 3) dw[3 * dwRow] += TSimd.Sum(c3);
    }
}
