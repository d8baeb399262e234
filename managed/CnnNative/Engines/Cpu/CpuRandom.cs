using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>Random tensors, 32 elements at a time.</summary>
internal sealed unsafe class CpuRandom(CpuThreads threads) : IRandom
{
    private const long GrainInBatches = 128;

    public void Uniform(Tensor y, float low, float high, RandomStream stream)
    {
        using var view = NchwView.Write(y);
        float* target = view;
        var count = y.Count;
        // One rounding, low + (high - low) u; the largest results would round up to the bound itself.
        var (offset, range) = (Vector512.Create(low), Vector512.Create(high - low));
        var largest = Vector512.Create(low < high ? MathF.BitDecrement(high) : low);
        threads.For(Batches(count), GrainInBatches, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (first, last) =>
        {
            for (var batch = first; batch < last; batch++)
            {
                var (a, b) = Philox.Words(stream, batch);
                Store(
                    Vector512.MinNative(Vector512.FusedMultiplyAdd(range, Philox.Unit(a), offset), largest),
                    Vector512.MinNative(Vector512.FusedMultiplyAdd(range, Philox.Unit(b), offset), largest),
                    target, batch * Philox.Batch, count);
            }
        });
    }

    public void Normal(Tensor y, float mean, float deviation, RandomStream stream)
    {
        using var view = NchwView.Write(y);
        float* target = view;
        var count = y.Count;
        var (center, scale) = (Vector512.Create(mean), Vector512.Create(deviation));
        threads.For(Batches(count), GrainInBatches, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (first, last) =>
        {
            for (var batch = first; batch < last; batch++)
            {
                var (a, b) = Philox.Words(stream, batch);
                var (cos, sin) = BoxMuller(Philox.Unit(a), Philox.Unit(b));
                var (front, back) = Lanes.Interleave(cos, sin);
                Store(
                    Vector512.FusedMultiplyAdd(scale, front, center), Vector512.FusedMultiplyAdd(scale, back, center),
                    target, batch * Philox.Batch, count);
            }
        });
    }

    /// <summary>Sixteen pairs of normal numbers from sixteen pairs of uniform ones, which lie side by side in a and b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> First, Vector512<float> Second) BoxMuller(Vector512<float> a, Vector512<float> b)
    {
        // u + 2^-24 is exact and lies in (0, 1].
        var u = Lanes.Even(a, b) + Vector512.Create(1f / (1 << 24));
        var radius = Vector512.Sqrt(VectorMath.Log(u) * -2f);
        var (cos, sin) = VectorMath.CosSinOfTurns(Lanes.Odd(a, b));
        return (radius * cos, radius * sin);
    }

    private static long Batches(long count) => (count + Philox.Batch - 1) / Philox.Batch;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> front, Vector512<float> back, float* target, long at, long count)
    {
        front.StoreFirst(target + at, count - at);
        if (count - at > Lanes.Count) back.StoreFirst(target + at + Lanes.Count, count - at - Lanes.Count);
    }
}
