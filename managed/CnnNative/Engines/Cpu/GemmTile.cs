using System.Runtime.CompilerServices;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// The innermost product: c (rows, vectors * width) = [c +] a (rows, depth) b (depth, vectors * width), with the tile of c
/// in registers. Up to 8 x 3 vectors: 24 accumulators, 3 of b and 1 of a fit the 32 registers of AVX-512; with 16
/// registers (AVX2) 4 x 3 fill them. Any strides of a serve, so it may be packed, row-major or transposed.
/// Every element of c is one chain of multiply-adds in the order of depth: the result does not depend on the tile's shape.
/// </summary>
internal static unsafe class GemmTile
{
    /// <summary>Most vectors in a row of a tile.</summary>
    public const int MostVectors = 3;

    /// <param name="depth">Length of the sums.</param>
    /// <param name="a">First element of a; element (i, l) is at a[i * aRow + l * aStep].</param>
    /// <param name="aRow">Distance of rows of a.</param>
    /// <param name="aStep">Distance of columns of a.</param>
    /// <param name="b">First element of b; element (l, j) is at b[l * bStep + j].</param>
    /// <param name="bStep">Distance of rows of b.</param>
    /// <param name="c">First element of c; element (i, j) is at c[i * cRow + j].</param>
    /// <param name="cRow">Distance of rows of c.</param>
    /// <param name="accumulate">Whether to add to what c holds.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TSimd, TVector, TRows, TVectors>(
        int depth, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
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
        for (; depth > 0; depth--)
        {
            TVector b0 = TSimd.Load(b), b1 = b0, b2 = b0;
            if (TVectors.Value > 1) b1 = TSimd.Load(b + TSimd.Width);
            if (TVectors.Value > 2) b2 = TSimd.Load(b + 2 * TSimd.Width);
            MultiplyRow<TSimd, TVector, TVectors>(a[0], b0, b1, b2, ref c00, ref c01, ref c02);
            if (TRows.Value > 1) MultiplyRow<TSimd, TVector, TVectors>(a[aRow], b0, b1, b2, ref c10, ref c11, ref c12);
            if (TRows.Value > 2) MultiplyRow<TSimd, TVector, TVectors>(a[2 * aRow], b0, b1, b2, ref c20, ref c21, ref c22);
            if (TRows.Value > 3) MultiplyRow<TSimd, TVector, TVectors>(a[3 * aRow], b0, b1, b2, ref c30, ref c31, ref c32);
            if (TRows.Value > 4) MultiplyRow<TSimd, TVector, TVectors>(a[4 * aRow], b0, b1, b2, ref c40, ref c41, ref c42);
            if (TRows.Value > 5) MultiplyRow<TSimd, TVector, TVectors>(a[5 * aRow], b0, b1, b2, ref c50, ref c51, ref c52);
            if (TRows.Value > 6) MultiplyRow<TSimd, TVector, TVectors>(a[6 * aRow], b0, b1, b2, ref c60, ref c61, ref c62);
            if (TRows.Value > 7) MultiplyRow<TSimd, TVector, TVectors>(a[7 * aRow], b0, b1, b2, ref c70, ref c71, ref c72);
            a += aStep;
            b += bStep;
        }

        StoreRow<TSimd, TVector, TVectors>(c, c00, c01, c02, accumulate);
        if (TRows.Value > 1) StoreRow<TSimd, TVector, TVectors>(c + cRow, c10, c11, c12, accumulate);
        if (TRows.Value > 2) StoreRow<TSimd, TVector, TVectors>(c + 2 * cRow, c20, c21, c22, accumulate);
        if (TRows.Value > 3) StoreRow<TSimd, TVector, TVectors>(c + 3 * cRow, c30, c31, c32, accumulate);
        if (TRows.Value > 4) StoreRow<TSimd, TVector, TVectors>(c + 4 * cRow, c40, c41, c42, accumulate);
        if (TRows.Value > 5) StoreRow<TSimd, TVector, TVectors>(c + 5 * cRow, c50, c51, c52, accumulate);
        if (TRows.Value > 6) StoreRow<TSimd, TVector, TVectors>(c + 6 * cRow, c60, c61, c62, accumulate);
        if (TRows.Value > 7) StoreRow<TSimd, TVector, TVectors>(c + 7 * cRow, c70, c71, c72, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void MultiplyRow<TSimd, TVector, TVectors>(
        float a, TVector b0, TVector b1, TVector b2, ref TVector c0, ref TVector c1, ref TVector c2)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TVectors : struct, IConstant
    {
        var splat = TSimd.Splat(a);
        c0 = TSimd.MultiplyAdd(splat, b0, c0);
        if (TVectors.Value > 1) c1 = TSimd.MultiplyAdd(splat, b1, c1);
        if (TVectors.Value > 2) c2 = TSimd.MultiplyAdd(splat, b2, c2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StoreRow<TSimd, TVector, TVectors>(float* c, TVector c0, TVector c1, TVector c2, bool accumulate)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TVectors : struct, IConstant
    {
        Store<TSimd, TVector>(c, c0, accumulate);
        if (TVectors.Value > 1) Store<TSimd, TVector>(c + TSimd.Width, c1, accumulate);
        if (TVectors.Value > 2) Store<TSimd, TVector>(c + 2 * TSimd.Width, c2, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store<TSimd, TVector>(float* c, TVector value, bool accumulate)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        => TSimd.Store(accumulate ? TSimd.Add(TSimd.Load(c), value) : value, c);
}
