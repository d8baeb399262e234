using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>Elementwise arithmetic in memory order, whatever the layout, and sums.</summary>
internal sealed unsafe class CpuElementwise(CpuThreads threads) : IElementwise
{
    /// <summary>Elements of one partial sum. Fixed, so that no sum depends on the number of threads.</summary>
    private const long Segment = 1 << 13;

    public void Fill(Tensor y, float value)
    {
        using var pinned = y.Pin<float>();
        float* target = pinned;
        threads.For(y.Count, VectorMap.Grain, (first, last) => new Span<float>(target + first, checked((int)(last - first))).Fill(value));
    }

    public void Add(Tensor a, Tensor b, Tensor y)
    {
        using var left = a.Pin<float>();
        using var right = b.Pin<float>();
        using var target = y.Pin<float>();
        VectorMap.Run(threads, default(AddMap), left, right, target, y.Count);
    }

    public void Multiply(Tensor a, Tensor b, Tensor y)
    {
        using var left = a.Pin<float>();
        using var right = b.Pin<float>();
        using var target = y.Pin<float>();
        VectorMap.Run(threads, default(MultiplyMap), left, right, target, y.Count);
    }

    public void Scale(Tensor x, float factor, Tensor y)
    {
        using var source = x.Pin<float>();
        using var target = y.Pin<float>();
        VectorMap.Run(threads, new ScaleMap(factor), source, target, y.Count);
    }

    public void Sum(Tensor x, Tensor y)
    {
        using var pinned = x.Pin<float>();
        using var target = y.Pin<float>();
        float* source = pinned;
        var count = x.Count;
        var partial = new double[(count + Segment - 1) / Segment];
        threads.For(partial.Length, 4, (first, last) =>
        {
            for (var i = first; i < last; i++) partial[i] = SegmentSum(source + i * Segment, Math.Min(Segment, count - i * Segment));
        });
        var sum = 0.0;
        foreach (var part in partial) sum += part;
        *target.Pointer = (float)sum;
    }

    public void Broadcast(Tensor scalar, float a, Tensor y)
    {
        using var pinned = scalar.Pin<float>();
        Fill(y, a * *pinned.Pointer);
    }

    public void Cast(Tensor x, Tensor y)
    {
        using var pinnedX = x.PinBytes();
        using var pinnedY = y.PinBytes();
        byte* source = pinnedX, target = pinnedY;
        var (from, to) = (x.DType, y.DType);
        threads.For(y.Count, VectorMap.Grain, (first, last) =>
        {
            for (var i = CastMaps.Run(source, from, target, to, first, last); i < last; i++)
                CastMaps.Store(target, to, i, CastMaps.Load(source, from, i));
        });
    }

    public void Increment(Tensor counter)
    {
        using var pinned = counter.Pin<long>();
        ++*pinned.Pointer;
    }

    /// <summary>Sum of a short array in double, in two times two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SegmentSum(float* x, long count)
    {
        Vector512<double> s0 = default, s1 = default, s2 = default, s3 = default;
        for (long i = 0; i < count; i += 2 * Lanes.Count)
        {
            var (low, high) = Vector512.Widen(Lanes.LoadFirst(x + i, count - i));
            s0 += low;
            s1 += high;
            (low, high) = Vector512.Widen(Lanes.LoadFirst(x + i + Lanes.Count, count - i - Lanes.Count));
            s2 += low;
            s3 += high;
        }

        return Vector512.Sum(s0 + s1 + (s2 + s3));
    }
}
