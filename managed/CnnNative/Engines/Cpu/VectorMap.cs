using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>A function of one number, sixteen at a time.</summary>
internal interface IMap
{
    Vector512<float> Apply(Vector512<float> x);
}

/// <summary>A function of two numbers, sixteen at a time.</summary>
internal interface IMapPair
{
    Vector512<float> Apply(Vector512<float> a, Vector512<float> b);
}

/// <summary>
/// Applies functions to whole arrays. The functions are structs, so that the compiler makes one loop for each with the
/// arithmetic inside. An output may be an input.
/// </summary>
internal static unsafe class VectorMap
{
    /// <summary>Elements below which waking another thread costs more than it saves.</summary>
    public const long Grain = 1 << 14;

    /// <summary>y[i] = map(x[i]) on all threads.</summary>
    public static void Run<TMap>(CpuThreads threads, TMap map, float* x, float* y, long count) where TMap : struct, IMap =>
        threads.For(count, Grain, (first, last) => Run(map, x + first, y + first, last - first));

    /// <summary>y[i] = map(a[i], b[i]) on all threads.</summary>
    public static void Run<TMap>(CpuThreads threads, TMap map, float* a, float* b, float* y, long count) where TMap : struct, IMapPair =>
        threads.For(count, Grain, (first, last) => Run(map, a + first, b + first, y + first, last - first));

    /// <summary>y[i] = map(x[i]).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TMap>(TMap map, float* x, float* y, long count) where TMap : struct, IMap
    {
        long i = 0;
        for (; i + 2 * Lanes.Count <= count; i += 2 * Lanes.Count)
        {
            var (first, second) = (Vector512.Load(x + i), Vector512.Load(x + i + Lanes.Count));
            map.Apply(first).Store(y + i);
            map.Apply(second).Store(y + i + Lanes.Count);
        }

        for (; i < count; i += Lanes.Count) map.Apply(Lanes.LoadFirst(x + i, count - i)).StoreFirst(y + i, count - i);
    }

    /// <summary>y[i] = map(a[i], b[i]).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TMap>(TMap map, float* a, float* b, float* y, long count) where TMap : struct, IMapPair
    {
        long i = 0;
        for (; i + Lanes.Count <= count; i += Lanes.Count) map.Apply(Vector512.Load(a + i), Vector512.Load(b + i)).Store(y + i);
        if (i < count) map.Apply(Lanes.LoadFirst(a + i, count - i), Lanes.LoadFirst(b + i, count - i)).StoreFirst(y + i, count - i);
    }
}

/// <summary>y = factor * x.</summary>
internal readonly struct ScaleMap(float factor) : IMap
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> x) => x * factor;
}

/// <summary>y = a + b.</summary>
internal readonly struct AddMap : IMapPair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => a + b;
}

/// <summary>y = a * b.</summary>
internal readonly struct MultiplyMap : IMapPair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> a, Vector512<float> b) => a * b;
}
