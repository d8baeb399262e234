namespace CnnNative.Engines.Cpu;

/// <summary>Batch normalisation, per channel over all other dimensions.</summary>
internal sealed unsafe class CpuNormalization(CpuThreads threads) : INormalization
{
    public void BatchForward(Tensor x, Tensor? gamma, Tensor? beta, float eps, Tensor y, Tensor mean, Tensor inverseDeviation)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedMean = mean.Pin<float>();
        using var pinnedInverse = inverseDeviation.Pin<float>();
        float* source = pinnedX, means = pinnedMean, inverses = pinnedInverse;
        var lines = new Lines(x);
        threads.For(lines.C, 1, (first, last) =>
        {
            for (var c = first; c < last; c++)
            {
                double sum = 0, squares = 0;
                for (long m = 0; m < lines.M; m++) sum += source[lines.At(c, m)];
                var center = sum / lines.M;
                for (long m = 0; m < lines.M; m++) squares += (source[lines.At(c, m)] - center) * (source[lines.At(c, m)] - center);
                means[c] = (float)center;
                inverses[c] = (float)(1 / Math.Sqrt(squares / lines.M + eps));
            }
        });
        Normalize(x, gamma, beta, mean, inverseDeviation, y);
    }

    public void UpdateRunning(
        Tensor mean, Tensor inverseDeviation, float eps, long count, float momentum, Tensor runningMean, Tensor runningVariance)
    {
        using var pinnedMean = mean.Pin<float>();
        using var pinnedInverse = inverseDeviation.Pin<float>();
        using var pinnedRunningMean = runningMean.Pin<float>();
        using var pinnedRunningVariance = runningVariance.Pin<float>();
        float* runningMeans = pinnedRunningMean, runningVariances = pinnedRunningVariance;
        for (long c = 0; c < mean.Count; c++)
        {
            double inverse = pinnedInverse.Pointer[c];
            var variance = Math.Max(0, 1 / (inverse * inverse) - eps) * count / (count - 1);
            runningMeans[c] = (1 - momentum) * runningMeans[c] + momentum * pinnedMean.Pointer[c];
            runningVariances[c] = (float)((1 - momentum) * runningVariances[c] + momentum * variance);
        }
    }

    public void BatchInference(Tensor x, Tensor? gamma, Tensor? beta, float eps, Tensor mean, Tensor variance, Tensor y)
    {
        using var inverse = Tensor.Empty(variance.Shape, DType.Float32, variance.Device);
        InverseDeviation(variance, eps, inverse);
        Normalize(x, gamma, beta, mean, inverse, y);
    }

    public void BatchBackward(
        Tensor x, Tensor dy, Tensor? gamma, Tensor mean, Tensor inverseDeviation, bool batchStatistics,
        Tensor? dx, Tensor? dgamma, Tensor? dbeta)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedDy = dy.Pin<float>();
        using var pinnedGamma = gamma is null ? default : gamma.Pin<float>();
        using var pinnedMean = mean.Pin<float>();
        using var pinnedInverse = inverseDeviation.Pin<float>();
        using var pinnedDx = dx is null ? default : dx.Pin<float>();
        using var pinnedDgamma = dgamma is null ? default : dgamma.Pin<float>();
        using var pinnedDbeta = dbeta is null ? default : dbeta.Pin<float>();
        float* source = pinnedX, gradient = pinnedDy, scale = pinnedGamma, means = pinnedMean, inverses = pinnedInverse;
        float* target = pinnedDx, dscale = pinnedDgamma, dshift = pinnedDbeta;
        var lines = new Lines(x);
        threads.For(lines.C, 1, (first, last) =>
        {
            for (var c = first; c < last; c++)
            {
                double sum = 0, product = 0, center = means[c], inverse = inverses[c];
                for (long m = 0; m < lines.M; m++)
                {
                    var at = lines.At(c, m);
                    sum += gradient[at];
                    product += gradient[at] * (source[at] - center);
                }

                product *= inverse;
                if (dscale is not null) dscale[c] = (float)product;
                if (dshift is not null) dshift[c] = (float)sum;
                if (target is null) continue;
                var factor = inverse * (scale is null ? 1 : scale[c]);
                if (!batchStatistics) sum = product = 0;
                for (long m = 0; m < lines.M; m++)
                {
                    var at = lines.At(c, m);
                    target[at] = (float)(factor * (gradient[at] - sum / lines.M - (source[at] - center) * inverse * product / lines.M));
                }
            }
        });
    }

    public void InverseDeviation(Tensor variance, float eps, Tensor inverseDeviation)
    {
        using var pinnedVariance = variance.Pin<float>();
        using var pinnedInverse = inverseDeviation.Pin<float>();
        for (long c = 0; c < variance.Count; c++)
            pinnedInverse.Pointer[c] = (float)(1 / Math.Sqrt((double)pinnedVariance.Pointer[c] + eps));
    }

    private void Normalize(Tensor x, Tensor? gamma, Tensor? beta, Tensor mean, Tensor inverseDeviation, Tensor y)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedGamma = gamma is null ? default : gamma.Pin<float>();
        using var pinnedBeta = beta is null ? default : beta.Pin<float>();
        using var pinnedMean = mean.Pin<float>();
        using var pinnedInverse = inverseDeviation.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* source = pinnedX, scale = pinnedGamma, shift = pinnedBeta, means = pinnedMean, inverses = pinnedInverse, target = pinnedY;
        var lines = new Lines(x);
        threads.For(lines.C, 1, (first, last) =>
        {
            for (var c = first; c < last; c++)
            {
                var factor = inverses[c] * (scale is null ? 1f : scale[c]);
                var offset = shift is null ? 0f : shift[c];
                for (long m = 0; m < lines.M; m++)
                {
                    var at = lines.At(c, m);
                    target[at] = (source[at] - means[c]) * factor + offset;
                }
            }
        });
    }

    /// <summary>Element m of channel c of a tensor (N, C, ...).</summary>
    private readonly struct Lines(Tensor x)
    {
        private readonly long step = x.Layout == Layout.Nhwc ? x.Shape[1] : 1;
        private readonly long plane = x.Layout == Layout.Nhwc ? 1 : x.Shape.CountFrom(2);
        private readonly long pixels = x.Shape.CountFrom(2);

        public long C { get; } = x.Shape[1];

        public long M => x.Shape[0] * pixels;

        public long At(long c, long m) => m / pixels * C * pixels + c * plane + m % pixels * step;
    }
}
