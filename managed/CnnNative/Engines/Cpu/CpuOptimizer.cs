namespace CnnNative.Engines.Cpu;

/// <summary>Steps of optimisers, in PyTorch's order of operations.</summary>
internal sealed unsafe class CpuOptimizer(CpuThreads threads) : IOptimizer
{
    private const long Grain = 1 << 14;

    public void Sgd(ReadOnlySpan<SgdSlot> slots, in SgdSettings settings)
    {
        var (rate, momentum, keep, decay) = (settings.LearningRate, settings.Momentum, 1f - settings.Dampening, settings.WeightDecay);
        var (nesterov, fresh) = (settings.Nesterov, settings.First);
        foreach (var slot in slots)
        {
            using var pinnedW = slot.Parameter.Pin<float>();
            using var pinnedG = slot.Gradient.Pin<float>();
            using var pinnedV = slot.Momentum is { } buffer ? buffer.Pin<float>() : default;
            float* w = pinnedW, g = pinnedG, v = pinnedV;
            threads.For(slot.Parameter.Count, Grain, (first, last) =>
            {
                for (var i = first; i < last; i++)
                {
                    var d = g[i] + decay * w[i];
                    if (v is not null)
                    {
                        v[i] = fresh ? d : momentum * v[i] + keep * d;
                        d = nesterov ? d + momentum * v[i] : v[i];
                    }

                    w[i] -= rate * d;
                }
            });
        }
    }

    public void Adam(ReadOnlySpan<AdamSlot> slots, in AdamSettings settings)
    {
        var (beta1, beta2, eps, decay) = (settings.Beta1, settings.Beta2, settings.Eps, settings.WeightDecay);
        var rate = (float)(settings.LearningRate / (1 - Math.Pow(beta1, settings.Step)));
        var root = (float)Math.Sqrt(1 - Math.Pow(beta2, settings.Step));
        foreach (var slot in slots)
        {
            using var pinnedW = slot.Parameter.Pin<float>();
            using var pinnedG = slot.Gradient.Pin<float>();
            using var pinnedM = slot.Mean.Pin<float>();
            using var pinnedS = slot.Square.Pin<float>();
            float* w = pinnedW, g = pinnedG, m = pinnedM, s = pinnedS;
            threads.For(slot.Parameter.Count, Grain, (first, last) =>
            {
                for (var i = first; i < last; i++)
                {
                    var d = g[i] + decay * w[i];
                    m[i] = m[i] * beta1 + d * (1f - beta1);
                    s[i] = s[i] * beta2 + d * d * (1f - beta2);
                    w[i] -= rate * (m[i] / (MathF.Sqrt(s[i]) / root + eps));
                }
            });
        }
    }
}
