using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Elementary functions of sixteen floats by argument reduction and polynomials (Cody and Waite, "Software manual for the
/// elementary functions", 1980). Coefficients were fitted for the smallest largest relative error and rounded to float.
/// Every function takes every float: overflow, denormals, infinities and NaN come out as the exact function's would.
/// </summary>
internal static class VectorMath
{
    private const float Log2E = 1.44269504f;

    /// <summary>ln 2 in two parts; the first has so few bits that its product with a whole number below 2^9 is exact.</summary>
    private const float Ln2High = 0.693359375f, Ln2Low = -2.12194440e-4f;

    /// <summary>exp(x); largest error about 1 unit in the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        // Beyond these bounds the result is 0 and infinity; the order of the operands lets NaN through.
        x = Vector512.MinNative(Vector512.Create(89f), Vector512.MaxNative(Vector512.Create(-105f), x));
        // x = n ln 2 + r with |r| <= ln 2 / 2, exp(x) = 2^n (1 + r + r^2 q(r)).
        var n = Vector512.Round(x * Log2E);
        var r = Fma(n, -Ln2High, x);
        r = Fma(n, -Ln2Low, r);
        var q = Vector512.Create(0.0013814467f);
        q = Fma(q, r, 0.008368781f);
        q = Fma(q, r, 0.041668393f);
        q = Fma(q, r, 0.1666652f);
        q = Fma(q, r, 0.49999994f);
        q = Fma(q, r, 1f);
        q = Fma(q, r, 1f);
        // 2^n in two factors: n reaches from -151 to 128, an exponent only from -126 to 127.
        var exponent = Vector512.ConvertToInt32Native(n);
        var half = exponent >> 1;
        return q * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    /// <summary>ln(x); largest error about 1 unit in the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log(Vector512<float> x)
    {
        const int HalfRoot = 0x3F3504F3;
        var denormal = Vector512.LessThan(x, Vector512.Create(1.17549435e-38f));
        var normal = Vector512.ConditionalSelect(denormal, x * (1 << 23), x);
        // 2^n (1 + f) with 1 + f between sqrt(1/2) and sqrt(2): the bits of sqrt(1/2) are subtracted first.
        var shifted = normal.AsInt32() - Vector512.Create(HalfRoot);
        var n = Vector512.ConvertToSingle(shifted >> 23) - Vector512.ConditionalSelect(denormal, Vector512.Create(23f), Vector512<float>.Zero);
        var f = ((shifted & Vector512.Create(0x007FFFFF)) + Vector512.Create(HalfRoot)).AsSingle() - Vector512<float>.One;
        var q = Vector512.Create(0.069136217f);
        q = Fma(q, f, -0.11789276f);
        q = Fma(q, f, 0.11873415f);
        q = Fma(q, f, -0.12384456f);
        q = Fma(q, f, 0.14218618f);
        q = Fma(q, f, -0.16669244f);
        q = Fma(q, f, 0.20002228f);
        q = Fma(q, f, -0.24999987f);
        q = Fma(q, f, 0.3333331f);
        // n ln2High + (f + (-f^2 / 2 + (f^3 q + n ln2Low))), the small terms first.
        var tail = Fma(f * f * f, q, n * Ln2Low);
        tail = Fma(f * f, -0.5f, tail);
        var result = Fma(n, Ln2High, f + tail);
        result = Vector512.ConditionalSelect(Vector512.Equals(x, Vector512<float>.Zero), Vector512.Create(float.NegativeInfinity), result);
        result = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<float>.Zero), Vector512.Create(float.NaN), result);
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(float.PositiveInfinity)), result, x);
    }

    /// <summary>1 / (1 + exp(-x)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Exp(-x));

    /// <summary>tanh(x); largest error about 2 units in the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        // Near 0 the odd series, else 1 - 2 / (exp(2 |x|) + 1) with the sign of x.
        var square = x * x;
        var q = Vector512.Create(-0.0055286344f);
        q = Fma(q, square, 0.020483317f);
        q = Fma(q, square, -0.053692967f);
        q = Fma(q, square, 0.13330899f);
        q = Fma(q, square, -0.33333263f);
        var near = Fma(q * square, x, x);
        var size = Vector512.Abs(x);
        var far = Vector512<float>.One - Vector512.Create(2f) / (Exp(size + size) + Vector512<float>.One);
        far = Vector512.CopySign(far, x);
        return Vector512.ConditionalSelect(Vector512.LessThan(size, Vector512.Create(0.625f)), near, far);
    }

    /// <summary>cos and sin of 2 pi t, for t from 0 to 1 in steps of 2^-24 or coarser; error about 1e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Cos, Vector512<float> Sin) CosSinOfTurns(Vector512<float> t)
    {
        // t = quarter / 4 + r with |r| <= 1/8, exactly.
        var quarter = Vector512.Round(t * 4f);
        var r = Fma(quarter, -0.25f, t);
        var square = r * r;
        var sin = Fma(Vector512.Create(41.472038f), square, -76.697845f);
        sin = Fma(sin, square, 81.6052f);
        sin = Fma(sin, square, -41.3417015f);
        sin = Fma(sin, square, 6.2831855f) * r;
        var cos = Fma(Vector512.Create(60.238438f), square, -85.45677f);
        cos = Fma(cos, square, 64.93939f);
        cos = Fma(cos, square, -19.739208f);
        cos = Fma(cos, square, 1f);
        // Quarters 1 and 3 exchange the two; sine is negative in quarters 2 and 3, cosine in 1 and 2.
        var k = Vector512.ConvertToInt32Native(quarter);
        var swap = Vector512.Equals(k & Vector512<int>.One, Vector512<int>.One).AsSingle();
        var sign = Vector512.Create(int.MinValue);
        var cosSign = (((k + Vector512<int>.One) << 30) & sign).AsSingle();
        var sinSign = ((k << 30) & sign).AsSingle();
        return (Vector512.ConditionalSelect(swap, sin, cos) ^ cosSign, Vector512.ConditionalSelect(swap, cos, sin) ^ sinSign);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PowerOfTwo(Vector512<int> exponent) => ((exponent + Vector512.Create(127)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fma(Vector512<float> a, float b, Vector512<float> c) => Vector512.FusedMultiplyAdd(a, Vector512.Create(b), c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, float c) => Vector512.FusedMultiplyAdd(a, b, Vector512.Create(c));
}
