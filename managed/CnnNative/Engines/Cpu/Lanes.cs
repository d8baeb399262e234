using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Sixteen floats at a time. <see cref="Vector512"/> is the only width the kernels know: where the processor has 256-bit
/// vectors the runtime makes two of each, at no cost that could be measured.
/// The ends of arrays go through the same arithmetic as their middles, in vectors that are only partly loaded and stored, so
/// that a result never depends on where a range was cut.
/// Loops over vectors are compiled with full optimisation at once: a tiered compiler would run thousands of vectors lane by lane
/// before it notices that a loop is hot, and few calls of an operation are many vectors.
/// </summary>
internal static unsafe class Lanes
{
    /// <summary>Floats in a vector.</summary>
    public const int Count = 16;

    /// <summary>The first <paramref name="count"/> lanes from memory, the others <paramref name="fill"/>; memory beyond is not touched.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="count">0 or more; more than all lanes means all.</param>
    /// <param name="fill">Value of the lanes that are not loaded.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadFirst(float* source, long count, float fill = 0f)
    {
        if (count >= Count) return Vector512.Load(source);
        return Avx512F.IsSupported
            ? Avx512F.MaskLoad(source, First(count), Vector512.Create(fill))
            : LoadOneByOne(source, count, fill);
    }

    /// <summary>Writes the first <paramref name="count"/> lanes; memory beyond is not touched.</summary>
    /// <param name="vector">The lanes.</param>
    /// <param name="target">Where to.</param>
    /// <param name="count">0 or more; more than all lanes means all.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirst(this Vector512<float> vector, float* target, long count)
    {
        if (count >= Count) vector.Store(target);
        else if (Avx512F.IsSupported) Avx512F.MaskStore(target, First(count), vector);
        else StoreOneByOne(vector, target, count);
    }

    /// <summary>Lanes 0, 2, 4, ... of the 32 in (a, b).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Even(Vector512<float> a, Vector512<float> b)
    {
        var places = Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        if (Avx512F.IsSupported) return Avx512F.PermuteVar16x32x2(a, places, b);
        return Vector512.Create(EvenHalf(a), EvenHalf(b));
    }

    /// <summary>Lanes 1, 3, 5, ... of the 32 in (a, b).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Odd(Vector512<float> a, Vector512<float> b)
    {
        var places = Vector512.Create(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
        if (Avx512F.IsSupported) return Avx512F.PermuteVar16x32x2(a, places, b);
        return Vector512.Create(OddHalf(a), OddHalf(b));
    }

    /// <summary>The inverse of <see cref="Even"/> and <see cref="Odd"/>: lanes e0 o0 e1 o1 ... as two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Low, Vector512<float> High) Interleave(Vector512<float> even, Vector512<float> odd)
    {
        var low = Vector512.Create(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        if (Avx512F.IsSupported)
            return (Avx512F.PermuteVar16x32x2(even, low, odd), Avx512F.PermuteVar16x32x2(even, low + Vector512.Create(8), odd));
        return (InterleaveHalf(even.GetLower(), odd.GetLower()), InterleaveHalf(even.GetUpper(), odd.GetUpper()));
    }

    /// <summary>The lanes added up in double precision, in a fixed order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double SumDouble(Vector512<float> vector)
    {
        var (low, high) = Vector512.Widen(vector);
        return Vector512.Sum(low + high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> First(long count) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create((int)count)).AsSingle();

    private static Vector256<float> EvenHalf(Vector512<float> a) => Vector256.ConditionalSelect(
        Vector256.Create(-1, -1, -1, -1, 0, 0, 0, 0).AsSingle(),
        Vector256.Shuffle(a.GetLower(), Vector256.Create(0, 2, 4, 6, 0, 0, 0, 0)),
        Vector256.Shuffle(a.GetUpper(), Vector256.Create(0, 0, 0, 0, 0, 2, 4, 6)));

    private static Vector256<float> OddHalf(Vector512<float> a) => Vector256.ConditionalSelect(
        Vector256.Create(-1, -1, -1, -1, 0, 0, 0, 0).AsSingle(),
        Vector256.Shuffle(a.GetLower(), Vector256.Create(1, 3, 5, 7, 0, 0, 0, 0)),
        Vector256.Shuffle(a.GetUpper(), Vector256.Create(0, 0, 0, 0, 1, 3, 5, 7)));

    private static Vector512<float> InterleaveHalf(Vector256<float> even, Vector256<float> odd)
    {
        var evens = Vector256.Create(-1, 0, -1, 0, -1, 0, -1, 0).AsSingle();
        var (first, second) = (Vector256.Create(0, 0, 1, 1, 2, 2, 3, 3), Vector256.Create(4, 4, 5, 5, 6, 6, 7, 7));
        return Vector512.Create(
            Vector256.ConditionalSelect(evens, Vector256.Shuffle(even, first), Vector256.Shuffle(odd, first)),
            Vector256.ConditionalSelect(evens, Vector256.Shuffle(even, second), Vector256.Shuffle(odd, second)));
    }

    private static Vector512<float> LoadOneByOne(float* source, long count, float fill)
    {
        var lanes = stackalloc float[Count];
        for (var i = 0; i < Count; i++) lanes[i] = i < count ? source[i] : fill;
        return Vector512.Load(lanes);
    }

    private static void StoreOneByOne(Vector512<float> vector, float* target, long count)
    {
        var lanes = stackalloc float[Count];
        vector.Store(lanes);
        for (var i = 0; i < count; i++) target[i] = lanes[i];
    }
}
