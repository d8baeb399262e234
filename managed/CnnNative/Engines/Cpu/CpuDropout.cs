using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>Dropout whose mask is computed again from the counter whenever it is needed, 32 units at a time.</summary>
internal sealed unsafe class CpuDropout(CpuThreads threads) : IDropout
{
    private const long Grain = 1 << 13;

    public void Apply(Tensor x, float probability, long unitSize, RandomStream stream, Tensor y)
    {
        using var pinnedX = NchwView.Read(x);
        using var pinnedY = NchwView.Write(y);
        float* source = pinnedX, target = pinnedY;
        var units = x.Count / unitSize;
        var mask = new UnitMask(stream, probability);
        threads.For((units + Philox.Batch - 1) / Philox.Batch, 1 + Grain / (Philox.Batch * unitSize), [MethodImpl(MethodImplOptions.AggressiveOptimization)] (first, last) =>
        {
            for (var batch = first; batch < last; batch++)
            {
                var unit = batch * Philox.Batch;
                var (front, back) = mask.Survivors(batch);
                if (unitSize == 1) DropElements(mask, front, back, source + unit, target + unit, units - unit);
                else DropUnits(mask, front, back, source + unit * unitSize, target + unit * unitSize, Math.Min(units - unit, Philox.Batch), unitSize);
            }
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DropElements(in UnitMask mask, Vector512<float> front, Vector512<float> back, float* x, float* y, long count)
    {
        mask.Apply(front, Lanes.LoadFirst(x, count)).StoreFirst(y, count);
        if (count > Lanes.Count)
            mask.Apply(back, Lanes.LoadFirst(x + Lanes.Count, count - Lanes.Count)).StoreFirst(y + Lanes.Count, count - Lanes.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DropUnits(in UnitMask mask, Vector512<float> front, Vector512<float> back, float* x, float* y, long count, long unitSize)
    {
        var survivors = (ulong)front.ExtractMostSignificantBits() | (ulong)back.ExtractMostSignificantBits() << Lanes.Count;
        for (var unit = 0; unit < count; unit++, x += unitSize, y += unitSize)
        {
            if ((survivors >> unit & 1) != 0) VectorMap.Run(mask.Scale, x, y, unitSize);
            else new Span<float>(y, checked((int)unitSize)).Clear();
        }
    }

    /// <summary>Which units survive, and by what the survivors are multiplied.</summary>
    private readonly struct UnitMask(RandomStream stream, float probability)
    {
        private readonly float factor = 1f / (1f - probability);

        /// <summary>Multiplies by 1 / (1 - p).</summary>
        public ScaleMap Scale => new(factor);

        /// <summary>All bits set for each of 32 units that survives.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public (Vector512<float> Front, Vector512<float> Back) Survivors(long batch)
        {
            var (a, b) = Philox.Words(stream, batch);
            var least = Vector512.Create(probability);
            return (Vector512.GreaterThanOrEqual(Philox.Unit(a), least), Vector512.GreaterThanOrEqual(Philox.Unit(b), least));
        }

        /// <summary>x / (1 - p) in surviving lanes, 0 in the others, even where x is NaN.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<float> Apply(Vector512<float> survivors, Vector512<float> x) =>
            Vector512.ConditionalSelect(survivors, x * factor, Vector512<float>.Zero);
    }
}
