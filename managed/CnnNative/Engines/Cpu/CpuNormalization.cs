namespace CnnNative.Engines.Cpu;

/// <summary>
/// Batch normalisation. A thread takes whole channels, so that the second pass over a channel finds it in the cache and no
/// sum depends on the number of threads; see <see cref="NormalizationChannels"/>. The decisions of an activation are read from y.
/// </summary>
internal sealed unsafe class CpuNormalization(CpuThreads threads) : INormalization
{
    public Tensor? BatchForward(
        Tensor x, Tensor? gamma, Tensor? beta, float eps, Tensor y, Tensor mean, Tensor inverseDeviation, in BatchNormTail tail,
        in RunningStatistics running)
    {
        using var pinnedResidual = tail.Residual is null ? default : tail.Residual.Pin<float>();
        using var pinnedX = x.Pin<float>();
        using var pinnedGamma = gamma is null ? default : gamma.Pin<float>();
        using var pinnedBeta = beta is null ? default : beta.Pin<float>();
        using var pinnedY = y.Pin<float>();
        using var pinnedMean = mean.Pin<float>();
        using var pinnedInverse = inverseDeviation.Pin<float>();
        using var pinnedRunningMean = running.Mean is null ? default : running.Mean.Pin<float>();
        using var pinnedRunningVariance = running.Variance is null ? default : running.Variance.Pin<float>();
        float* source = pinnedX, scale = pinnedGamma, shift = pinnedBeta, target = pinnedY, means = pinnedMean, inverses = pinnedInverse;
        float* residual = pinnedResidual;
        var update = new RunningUpdate(pinnedRunningMean, pinnedRunningVariance, running.Momentum);
        var (channels, range) = (new NormalizationChannels(x), ClampRange.Of(tail.Activation));
        threads.For(channels.Bundles, channels.Grain, (first, last) =>
        {
            for (var bundle = first; bundle < last; bundle++)
            {
                channels.Statistics(bundle, source, eps, means, inverses, update);
                channels.Normalize(bundle, source, means, inverses, scale, shift, residual, range, target);
            }
        });
        return y;
    }

    public Tensor? BatchInference(
        Tensor x, Tensor? gamma, Tensor? beta, float eps, Tensor mean, Tensor variance, Tensor y, in BatchNormTail tail)
    {
        using var pinnedResidual = tail.Residual is null ? default : tail.Residual.Pin<float>();
        using var pinnedX = x.Pin<float>();
        using var pinnedGamma = gamma is null ? default : gamma.Pin<float>();
        using var pinnedBeta = beta is null ? default : beta.Pin<float>();
        using var pinnedMean = mean.Pin<float>();
        using var pinnedVariance = variance.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* source = pinnedX, scale = pinnedGamma, shift = pinnedBeta, means = pinnedMean, target = pinnedY;
        var inverse = new float[variance.Count];
        InverseDeviations(pinnedVariance, eps, inverse);
        float* residual = pinnedResidual;
        var (channels, range) = (new NormalizationChannels(x), ClampRange.Of(tail.Activation));
        threads.For(channels.Bundles, channels.Grain, (first, last) =>
        {
            fixed (float* inverses = inverse)
            {
                for (var bundle = first; bundle < last; bundle++)
                    channels.Normalize(bundle, source, means, inverses, scale, shift, residual, range, target);
            }
        });
        return y;
    }

    public void BatchBackward(
        Tensor x, Tensor dy, Tensor? gamma, Tensor mean, Tensor inverseDeviation, bool batchStatistics,
        Tensor? dx, Tensor? dgamma, Tensor? dbeta, in BatchNormGate gate)
    {
        // dz, the gradient before the activation, takes the place of the residual's gradient, or of dx until that is computed from it.
        var gates = gate.Activation != ActivationKind.Identity;
        using var ownGated = gates && gate.Dresidual is null && dx is null ? Tensor.Empty(x.Shape, x.DType, x.Device, x.Layout) : null;
        using var pinnedGated = gates ? (gate.Dresidual ?? dx ?? ownGated)!.Pin<float>() : default;
        using var pinnedDecisions = gates ? gate.Decisions!.Pin<float>() : default;
        using var pinnedX = x.Pin<float>();
        using var pinnedDy = dy.Pin<float>();
        using var pinnedGamma = gamma is null ? default : gamma.Pin<float>();
        using var pinnedMean = mean.Pin<float>();
        using var pinnedInverse = inverseDeviation.Pin<float>();
        using var pinnedDx = dx is null ? default : dx.Pin<float>();
        using var pinnedDgamma = dgamma is null ? default : dgamma.Pin<float>();
        using var pinnedDbeta = dbeta is null ? default : dbeta.Pin<float>();
        float* source = pinnedX, gradient = pinnedDy, scale = pinnedGamma, means = pinnedMean, inverses = pinnedInverse, target = pinnedDx;
        float* dscale = pinnedDgamma, dshift = pinnedDbeta;
        float* gated = pinnedGated, decisions = pinnedDecisions;
        var (channels, range) = (new NormalizationChannels(x), ClampRange.Of(gate.Activation));
        var needsSums = batchStatistics || dgamma is not null || dbeta is not null;
        threads.For(channels.Bundles, channels.Grain, (first, last) =>
        {
            double* sums = stackalloc double[Lanes.Count], products = stackalloc double[Lanes.Count];
            for (var bundle = first; bundle < last; bundle++)
            {
                if (gates) channels.Gate(bundle, decisions, gradient, range, gated);
                var dz = gates ? gated : gradient;
                if (needsSums) channels.GradientSums(bundle, source, dz, means, inverses, sums, products, dscale, dshift);
                if (target is not null) channels.InputGradient(bundle, source, dz, means, inverses, scale, batchStatistics, sums, products, target);
            }
        });
    }

    public void InverseDeviation(Tensor variance, float eps, Tensor inverseDeviation)
    {
        using var pinnedVariance = variance.Pin<float>();
        using var pinnedInverse = inverseDeviation.Pin<float>();
        InverseDeviations(pinnedVariance, eps, new Span<float>(pinnedInverse, checked((int)variance.Count)));
    }

    private static void InverseDeviations(float* variance, float eps, Span<float> inverse)
    {
        for (var c = 0; c < inverse.Length; c++) inverse[c] = (float)(1 / Math.Sqrt((double)variance[c] + eps));
    }
}
