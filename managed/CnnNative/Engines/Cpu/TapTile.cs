using System.Runtime.CompilerServices;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// The innermost loops of a convolution over <see cref="ImagePlanes"/>: like <see cref="GemmTile"/>, but row l of b is
/// wherever tap l reads, so that nothing is copied into panels. Every element is one chain of multiply-adds in the order
/// of the taps.
/// </summary>
internal static unsafe class TapTile
{
    /// <summary>c (rows, vectors * width) = [c +] a (rows, depth) b, with b[l, j] = x[taps[l] + j].</summary>
    /// <param name="depth">Number of taps.</param>
    /// <param name="a">Filters; element (i, l) is at a[i * aRow + l * aStep].</param>
    /// <param name="aRow">Distance of filters.</param>
    /// <param name="aStep">Distance of taps.</param>
    /// <param name="x">First output's place in the planes.</param>
    /// <param name="taps">Distances of the taps.</param>
    /// <param name="c">Results; element (i, j) is at c[i * cRow + j].</param>
    /// <param name="cRow">Distance of rows of c.</param>
    /// <param name="accumulate">Whether to add to what c holds.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TSimd, TVector, TRows, TVectors>(
        int depth, float* a, nint aRow, nint aStep, float* x, nint* taps, float* c, nint cRow, bool accumulate)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TRows : struct, IConstant
        where TVectors : struct, IConstant
    {
        TVector c00 = TSimd.Splat(0f), c01 = TSimd.Splat(0f), c02 = TSimd.Splat(0f);
        TVector c10 = c00, c11 = c00, c12 = c00;
        TVector c20 = c00, c21 = c00, c22 = c00;
        TVector c30 = c00, c31 = c00, c32 = c00;
        TVector c40 = c00, c41 = c00, c42 = c00;
        TVector c50 = c00, c51 = c00, c52 = c00;
        TVector c60 = c00, c61 = c00, c62 = c00;
        TVector c70 = c00, c71 = c00, c72 = c00;
        for (var end = taps + depth; taps < end; taps++)
        {
            var b = x + *taps;
            TVector b0 = TSimd.Load(b), b1 = b0, b2 = b0;
            if (TVectors.Value > 1) b1 = TSimd.Load(b + TSimd.Width);
            if (TVectors.Value > 2) b2 = TSimd.Load(b + 2 * TSimd.Width);
            GemmTile.MultiplyRow<TSimd, TVector, TVectors>(a[0], b0, b1, b2, ref c00, ref c01, ref c02);
            if (TRows.Value > 1) GemmTile.MultiplyRow<TSimd, TVector, TVectors>(a[aRow], b0, b1, b2, ref c10, ref c11, ref c12);
            if (TRows.Value > 2) GemmTile.MultiplyRow<TSimd, TVector, TVectors>(a[2 * aRow], b0, b1, b2, ref c20, ref c21, ref c22);
            if (TRows.Value > 3) GemmTile.MultiplyRow<TSimd, TVector, TVectors>(a[3 * aRow], b0, b1, b2, ref c30, ref c31, ref c32);
            if (TRows.Value > 4) GemmTile.MultiplyRow<TSimd, TVector, TVectors>(a[4 * aRow], b0, b1, b2, ref c40, ref c41, ref c42);
            if (TRows.Value > 5) GemmTile.MultiplyRow<TSimd, TVector, TVectors>(a[5 * aRow], b0, b1, b2, ref c50, ref c51, ref c52);
            if (TRows.Value > 6) GemmTile.MultiplyRow<TSimd, TVector, TVectors>(a[6 * aRow], b0, b1, b2, ref c60, ref c61, ref c62);
            if (TRows.Value > 7) GemmTile.MultiplyRow<TSimd, TVector, TVectors>(a[7 * aRow], b0, b1, b2, ref c70, ref c71, ref c72);
            a += aStep;
        }

        GemmTile.StoreRow<TSimd, TVector, TVectors>(c, c00, c01, c02, accumulate);
        if (TRows.Value > 1) GemmTile.StoreRow<TSimd, TVector, TVectors>(c + cRow, c10, c11, c12, accumulate);
        if (TRows.Value > 2) GemmTile.StoreRow<TSimd, TVector, TVectors>(c + 2 * cRow, c20, c21, c22, accumulate);
        if (TRows.Value > 3) GemmTile.StoreRow<TSimd, TVector, TVectors>(c + 3 * cRow, c30, c31, c32, accumulate);
        if (TRows.Value > 4) GemmTile.StoreRow<TSimd, TVector, TVectors>(c + 4 * cRow, c40, c41, c42, accumulate);
        if (TRows.Value > 5) GemmTile.StoreRow<TSimd, TVector, TVectors>(c + 5 * cRow, c50, c51, c52, accumulate);
        if (TRows.Value > 6) GemmTile.StoreRow<TSimd, TVector, TVectors>(c + 6 * cRow, c60, c61, c62, accumulate);
        if (TRows.Value > 7) GemmTile.StoreRow<TSimd, TVector, TVectors>(c + 7 * cRow, c70, c71, c72, accumulate);
    }
}
