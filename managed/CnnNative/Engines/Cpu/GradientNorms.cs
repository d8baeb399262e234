using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>What a stretch of a gradient adds to the norm of all: sums in double, or the largest size, where NaN wins.</summary>
internal static unsafe class GradientNorms
{
    /// <summary>Elements of one stretch. Fixed, so that no norm depends on the number of threads.</summary>
    public const long Segment = 1 << 13;

    /// <summary>Puts two parts together.</summary>
    public static double Join(NormOrder order, double a, double b) => order == NormOrder.Infinity ? Math.Max(a, b) : a + b;

    /// <summary>The norm from all parts.</summary>
    public static double Finish(NormOrder order, double total) => order == NormOrder.Two ? Math.Sqrt(total) : total;

    /// <summary>The part of a short array.</summary>
    public static double Of(NormOrder order, float* g, long count) => order switch
    {
        NormOrder.One => Sum<Size>(g, count),
        NormOrder.Two => Sum<Square>(g, count),
        _ => Largest(g, count),
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Sum<TTerm>(float* g, long count) where TTerm : struct, ITerm
    {
        Vector512<double> low = default, high = default;
        for (long i = 0; i < count; i += Lanes.Count)
        {
            var (first, second) = Vector512.Widen(Lanes.LoadFirst(g + i, count - i));
            low += default(TTerm).Of(first);
            high += default(TTerm).Of(second);
        }

        return Vector512.Sum(low + high);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Largest(float* g, long count)
    {
        var largest = Vector512<float>.Zero;
        for (long i = 0; i < count; i += Lanes.Count) largest = Vector512.Max(largest, Vector512.Abs(Lanes.LoadFirst(g + i, count - i)));
        double result = 0;
        for (var lane = 0; lane < Lanes.Count; lane++) result = Math.Max(result, largest[lane]);
        return result;
    }

    private interface ITerm
    {
        Vector512<double> Of(Vector512<double> g);
    }

    private readonly struct Size : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<double> Of(Vector512<double> g) => Vector512.Abs(g);
    }

    private readonly struct Square : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<double> Of(Vector512<double> g) => g * g;
    }
}

/// <summary>y = min(max(x, -limit), limit), NaN stays.</summary>
internal readonly struct LimitMap(float limit) : IMap
{
    private readonly Vector512<float> low = Vector512.Create(-limit), high = Vector512.Create(limit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> x) => Vector512.MinNative(high, Vector512.MaxNative(low, x));
}
