using System.Runtime.CompilerServices;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// A transform of one line of a Winograd tile: so many vectors in, so many out. Applied to the rows and then to the columns it
/// transforms a tile.
/// </summary>
internal unsafe interface IWinogradLine
{
    /// <summary>Length of a line.</summary>
    static abstract int In { get; }

    /// <summary>Length of the transformed line.</summary>
    static abstract int Out { get; }

    /// <summary>Transforms the vectors x[0], x[xStep], ... into y[0], y[yStep], ...</summary>
    static abstract void Apply<TSimd, TVector>(float* x, nint xStep, float* y, nint yStep)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;
}

/// <summary>
/// The points in which lines are evaluated as polynomials: 0, a, -a, b, -b and infinity. With a = 5/8 and b = 3/2, whose powers
/// are short in binary, the error is less than half of that with the integers 1 and 2.
/// </summary>
internal static class WinogradPoints
{
    public const float A = 5f / 8, B = 3f / 2;

    public const float A2 = A * A, B2 = B * B;

    /// <summary>Product of the other points' distances from 0, from a and -a, and from b and -b: what the filter's side is divided by.</summary>
    public const float AtZero = A2 * B2, AtA = 2 * A2 * (A2 - B2), AtB = 2 * B2 * (B2 - A2);
}

/// <summary>Six pixels, the transposed matrix B of the literature: products with the polynomials that are zero in all points but one.</summary>
internal readonly unsafe struct WinogradPixels : IWinogradLine
{
    public static int In => 6;

    public static int Out => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply<TSimd, TVector>(float* x, nint xStep, float* y, nint yStep)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector x0 = TSimd.Load(x), x1 = TSimd.Load(x + xStep), x2 = TSimd.Load(x + 2 * xStep);
        TVector x3 = TSimd.Load(x + 3 * xStep), x4 = TSimd.Load(x + 4 * xStep), x5 = TSimd.Load(x + 5 * xStep);
        TVector product = TSimd.Splat(WinogradPoints.A2 * WinogradPoints.B2), sum = TSimd.Splat(-WinogradPoints.A2 - WinogradPoints.B2);
        TSimd.Store(TSimd.MultiplyAdd(product, x0, TSimd.MultiplyAdd(sum, x2, x4)), y);
        Pair<TSimd, TVector>(WinogradPoints.A, WinogradPoints.B2, x1, x2, x3, x4, y + yStep, yStep);
        Pair<TSimd, TVector>(WinogradPoints.B, WinogradPoints.A2, x1, x2, x3, x4, y + 3 * yStep, yStep);
        TSimd.Store(TSimd.MultiplyAdd(product, x1, TSimd.MultiplyAdd(sum, x3, x5)), y + 5 * yStep);
    }

    /// <summary>The points p and -p, where q is the other pair: x (x +- p) (x^2 - q^2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair<TSimd, TVector>(float p, float q2, TVector x1, TVector x2, TVector x3, TVector x4, float* y, nint yStep)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var square = TSimd.Splat(-q2);
        TVector even = TSimd.MultiplyAdd(square, x2, x4), odd = TSimd.MultiplyAdd(square, x1, x3);
        TSimd.Store(TSimd.MultiplyAdd(TSimd.Splat(p), odd, even), y);
        TSimd.Store(TSimd.MultiplyAdd(TSimd.Splat(-p), odd, even), y + yStep);
    }
}

/// <summary>The filter's side, matrix G: three taps, or four gradients of outputs, as a polynomial evaluated in all points.</summary>
/// <typeparam name="TLength">Three or four.</typeparam>
internal readonly unsafe struct WinogradFilter<TLength> : IWinogradLine
    where TLength : struct, IConstant
{
    public static int In => TLength.Value;

    public static int Out => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply<TSimd, TVector>(float* x, nint xStep, float* y, nint yStep)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector x0 = TSimd.Load(x), x1 = TSimd.Load(x + xStep), x2 = TSimd.Load(x + 2 * xStep), x3 = TSimd.Splat(0f);
        if (TLength.Value > 3) x3 = TSimd.Load(x + 3 * xStep);
        TSimd.Store(TSimd.Multiply(TSimd.Splat(1 / WinogradPoints.AtZero), x0), y);
        Pair<TSimd, TVector>(WinogradPoints.A, 1 / WinogradPoints.AtA, x0, x1, x2, x3, y + yStep, yStep);
        Pair<TSimd, TVector>(WinogradPoints.B, 1 / WinogradPoints.AtB, x0, x1, x2, x3, y + 3 * yStep, yStep);
        TSimd.Store(TLength.Value > 3 ? x3 : x2, y + 5 * yStep);
    }

    /// <summary>The points p and -p, times a factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair<TSimd, TVector>(float p, float factor, TVector x0, TVector x1, TVector x2, TVector x3, float* y, nint yStep)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var even = TSimd.MultiplyAdd(TSimd.Splat(p * p * factor), x2, TSimd.Multiply(TSimd.Splat(factor), x0));
        var odd = TSimd.Multiply(TSimd.Splat(p * factor), x1);
        if (TLength.Value > 3) odd = TSimd.MultiplyAdd(TSimd.Splat(p * p * p * factor), x3, odd);
        TSimd.Store(TSimd.Add(even, odd), y);
        TSimd.Store(TSimd.Subtract(even, odd), y + yStep);
    }
}

/// <summary>The way back, the transposed matrix A: from the products in all points to four outputs, or three gradients of taps.</summary>
/// <typeparam name="TLength">Three or four.</typeparam>
internal readonly unsafe struct WinogradResult<TLength> : IWinogradLine
    where TLength : struct, IConstant
{
    public static int In => 6;

    public static int Out => TLength.Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply<TSimd, TVector>(float* x, nint xStep, float* y, nint yStep)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        TVector x0 = TSimd.Load(x), plusA = TSimd.Load(x + xStep), minusA = TSimd.Load(x + 2 * xStep);
        TVector plusB = TSimd.Load(x + 3 * xStep), minusB = TSimd.Load(x + 4 * xStep), last = TSimd.Load(x + 5 * xStep);
        TVector evenA = TSimd.Add(plusA, minusA), oddA = TSimd.Subtract(plusA, minusA);
        TVector evenB = TSimd.Add(plusB, minusB), oddB = TSimd.Subtract(plusB, minusB);
        TSimd.Store(TSimd.Add(x0, TSimd.Add(evenA, evenB)), y);
        TSimd.Store(Weigh<TSimd, TVector>(WinogradPoints.A, oddA, WinogradPoints.B, oddB), y + yStep);
        var square = Weigh<TSimd, TVector>(WinogradPoints.A2, evenA, WinogradPoints.B2, evenB);
        TSimd.Store(TLength.Value > 3 ? square : TSimd.Add(square, last), y + 2 * yStep);
        if (TLength.Value > 3)
        {
            var cube = Weigh<TSimd, TVector>(WinogradPoints.A2 * WinogradPoints.A, oddA, WinogradPoints.B2 * WinogradPoints.B, oddB);
            TSimd.Store(TSimd.Add(cube, last), y + 3 * yStep);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Weigh<TSimd, TVector>(float weightA, TVector a, float weightB, TVector b)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        => TSimd.MultiplyAdd(TSimd.Splat(weightA), a, TSimd.Multiply(TSimd.Splat(weightB), b));
}
