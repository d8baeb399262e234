using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Steps of optimisers in one pass over each parameter, with every product and sum rounded where PyTorch 1.13 rounds it:
/// its a + alpha * b is one fused multiply-add.
/// </summary>
internal sealed unsafe class CpuOptimizer(CpuThreads threads) : IOptimizer
{
    private const long Grain = 1 << 13;

    public void Sgd(ReadOnlySpan<SgdSlot> slots, in SgdSettings settings)
    {
        var step = new SgdStep(settings);
        foreach (var slot in slots)
        {
            using var parameter = slot.Parameter.Pin<float>();
            using var gradient = slot.Gradient.Pin<float>();
            using var momentum = slot.Momentum is { } buffer ? buffer.Pin<float>() : default;
            float* w = parameter, g = gradient, v = momentum;
            threads.For(slot.Parameter.Count, Grain, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (first, last) =>
            {
                for (var i = first; i < last; i += Lanes.Count) step.Apply(w + i, g + i, v is null ? null : v + i, last - i);
            });
        }
    }

    public void Adam(ReadOnlySpan<AdamSlot> slots, in AdamSettings settings)
    {
        var step = new AdamStep(settings);
        foreach (var slot in slots)
        {
            using var parameter = slot.Parameter.Pin<float>();
            using var gradient = slot.Gradient.Pin<float>();
            using var mean = slot.Mean.Pin<float>();
            using var square = slot.Square.Pin<float>();
            float* w = parameter, g = gradient, m = mean, s = square;
            threads.For(slot.Parameter.Count, Grain, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (first, last) =>
            {
                for (var i = first; i < last; i += Lanes.Count) step.Apply(w + i, g + i, m + i, s + i, last - i);
            });
        }
    }

    public void GradientNorm(ReadOnlySpan<Tensor> gradients, NormOrder order, Tensor norm)
    {
        var total = 0.0;
        foreach (var gradient in gradients) total = GradientNorms.Join(order, total, Part(gradient, order));
        using var target = norm.Pin<float>();
        *target.Pointer = (float)GradientNorms.Finish(order, total);
    }

    public void ScaleGradients(ReadOnlySpan<Tensor> gradients, Tensor norm, float most)
    {
        using var pinned = norm.Pin<float>();
        // Math.Min lets NaN through.
        var factor = Math.Min(most / (*pinned.Pointer + 1e-6f), 1f);
        Map(gradients, new ScaleMap(factor));
    }

    public void ClampGradients(ReadOnlySpan<Tensor> gradients, float limit) => Map(gradients, new LimitMap(limit));

    private void Map<TMap>(ReadOnlySpan<Tensor> gradients, TMap map) where TMap : struct, IMap
    {
        foreach (var gradient in gradients)
        {
            using var pinned = gradient.Pin<float>();
            VectorMap.Run(threads, map, pinned, pinned, gradient.Count);
        }
    }

    /// <summary>What one gradient adds to the norm.</summary>
    private double Part(Tensor gradient, NormOrder order)
    {
        using var pinned = gradient.Pin<float>();
        float* g = pinned;
        var count = gradient.Count;
        var parts = new double[(count + GradientNorms.Segment - 1) / GradientNorms.Segment];
        threads.For(parts.Length, 4, (first, last) =>
        {
            for (var i = first; i < last; i++)
                parts[i] = GradientNorms.Of(order, g + i * GradientNorms.Segment, Math.Min(GradientNorms.Segment, count - i * GradientNorms.Segment));
        });
        var total = 0.0;
        foreach (var part in parts) total = GradientNorms.Join(order, total, part);
        return total;
    }

    /// <summary>d = g + decay w; v = momentum v + (1 - dampening) d; w = w - rate (v, or d + momentum v for Nesterov, or d).</summary>
    private readonly struct SgdStep(SgdSettings settings)
    {
        private readonly Vector512<float> rate = Vector512.Create(-settings.LearningRate);
        private readonly Vector512<float> momentum = Vector512.Create(settings.Momentum);
        private readonly Vector512<float> keep = Vector512.Create((float)(1 - DecimalSetting.Of(settings.Dampening)));
        private readonly Vector512<float> decay = Vector512.Create(settings.WeightDecay);
        private readonly bool decays = settings.WeightDecay != 0f, nesterov = settings.Nesterov, fresh = settings.First;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply(float* w, float* g, float* v, long count)
        {
            var weight = Lanes.LoadFirst(w, count);
            var d = Lanes.LoadFirst(g, count);
            if (decays) d = Vector512.FusedMultiplyAdd(decay, weight, d);
            if (v is not null)
            {
                var velocity = fresh ? d : Vector512.FusedMultiplyAdd(keep, d, momentum * Lanes.LoadFirst(v, count));
                velocity.StoreFirst(v, count);
                d = nesterov ? Vector512.FusedMultiplyAdd(momentum, velocity, d) : velocity;
            }

            Vector512.FusedMultiplyAdd(rate, d, weight).StoreFirst(w, count);
        }
    }

    /// <summary>
    /// d = g + decay w; m = beta1 m + (1 - beta1) d; s = beta2 s + (1 - beta2) d^2;
    /// w = w - rate / (1 - beta1^t) m / (sqrt(s) / sqrt(1 - beta2^t) + eps).
    /// </summary>
    private readonly struct AdamStep
    {
        private readonly Vector512<float> rate, beta1, rest1, beta2, rest2, root, eps, decay;
        private readonly bool decays;

        public AdamStep(in AdamSettings settings)
        {
            var (b1, b2) = (DecimalSetting.Of(settings.Beta1), DecimalSetting.Of(settings.Beta2));
            (beta1, rest1) = (Vector512.Create((float)b1), Vector512.Create((float)(1 - b1)));
            (beta2, rest2) = (Vector512.Create((float)b2), Vector512.Create((float)(1 - b2)));
            rate = Vector512.Create((float)(-DecimalSetting.Of(settings.LearningRate) / (1 - Math.Pow(b1, settings.Step))));
            root = Vector512.Create((float)Math.Sqrt(1 - Math.Pow(b2, settings.Step)));
            eps = Vector512.Create(settings.Eps);
            decay = Vector512.Create(settings.WeightDecay);
            decays = settings.WeightDecay != 0f;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply(float* w, float* g, float* m, float* s, long count)
        {
            var weight = Lanes.LoadFirst(w, count);
            var d = Lanes.LoadFirst(g, count);
            if (decays) d = Vector512.FusedMultiplyAdd(decay, weight, d);
            var mean = Vector512.FusedMultiplyAdd(rest1, d, beta1 * Lanes.LoadFirst(m, count));
            var square = Vector512.FusedMultiplyAdd(rest2 * d, d, beta2 * Lanes.LoadFirst(s, count));
            mean.StoreFirst(m, count);
            square.StoreFirst(s, count);
            var divisor = Vector512.Sqrt(square) / root + eps;
            (weight + rate * mean / divisor).StoreFirst(w, count);
        }
    }
}
