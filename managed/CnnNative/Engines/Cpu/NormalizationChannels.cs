using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// The channels of a tensor (N, C, ...) in bundles that one thread does at a time: one channel where each of its planes is
/// contiguous, sixteen neighbouring ones where a row of channels is.
/// </summary>
internal readonly unsafe struct NormalizationChannels(Tensor x)
{
    private readonly long images = x.Shape[0], channels = x.Shape[1], pixels = x.Shape.CountFrom(2);
    private readonly bool byRows = x.Layout == Layout.Nhwc || x.Shape.CountFrom(2) == 1;

    /// <summary>Number of bundles.</summary>
    public long Bundles => byRows ? (channels + Lanes.Count - 1) / Lanes.Count : channels;

    /// <summary>Bundles worth waking a thread.</summary>
    public long Grain => 1 + (1 << 13) / Math.Max(1, PerChannel * (byRows ? Lanes.Count : 1));

    /// <summary>Elements per channel.</summary>
    private long PerChannel => images * pixels;

    /// <summary>Mean and 1 / sqrt(variance + eps) of each channel of a bundle.</summary>
    public void Statistics(long bundle, float* x, float eps, float* mean, float* inverse)
    {
        var (first, count) = Range(bundle);
        double* means = stackalloc double[Lanes.Count], variances = stackalloc double[Lanes.Count];
        if (byRows) new RowSums(PerChannel, channels, count).Moments(x + first, means, variances);
        else (*means, *variances) = Planes.Moments(x + first * pixels);
        for (var c = 0; c < count; c++)
        {
            mean[first + c] = (float)means[c];
            inverse[first + c] = (float)(1 / Math.Sqrt(variances[c] + eps));
        }
    }

    /// <summary>y = gamma (x - mean) inverse + beta.</summary>
    public void Normalize(long bundle, float* x, float* mean, float* inverse, float* gamma, float* beta, float* y)
    {
        var (first, count) = Range(bundle);
        var factor = Lanes.LoadFirst(inverse + first, count);
        if (gamma is not null) factor *= Lanes.LoadFirst(gamma + first, count);
        var shift = beta is null ? Vector512<float>.Zero : Lanes.LoadFirst(beta + first, count);
        var center = Lanes.LoadFirst(mean + first, count);
        if (byRows)
        {
            var map = new NormalizeMap(center, factor, shift);
            for (var at = first; at < PerChannel * channels; at += channels) map.Apply(Lanes.LoadFirst(x + at, count)).StoreFirst(y + at, count);
        }
        else
        {
            var map = new NormalizeMap(center[0], factor[0], shift[0]);
            for (var at = first * pixels; at < PerChannel * channels; at += channels * pixels) VectorMap.Run(map, x + at, y + at, pixels);
        }
    }

    /// <summary>Sums of dy and dy (x - mean) of each channel, and the gradients by gamma and beta that follow, where wanted.</summary>
    public void GradientSums(
        long bundle, float* x, float* dy, float* mean, float* inverse, double* sums, double* products, float* dgamma, float* dbeta)
    {
        var (first, count) = Range(bundle);
        if (byRows) new RowSums(PerChannel, channels, count).GradientSums(x + first, dy + first, mean + first, sums, products);
        else (*sums, *products) = Planes.GradientSums(x + first * pixels, dy + first * pixels, mean[first]);
        for (var c = 0; c < count; c++)
        {
            if (dgamma is not null) dgamma[first + c] = (float)(products[c] * inverse[first + c]);
            if (dbeta is not null) dbeta[first + c] = (float)sums[c];
        }
    }

    /// <summary>The gradient by x, from the sums of dy and dy (x - mean) where the statistics came from x.</summary>
    public void InputGradient(
        long bundle, float* x, float* dy, float* mean, float* inverse, float* gamma, bool batchStatistics, double* sums, double* products, float* dx)
    {
        var (first, count) = Range(bundle);
        float* factors = stackalloc float[Lanes.Count], slopes = stackalloc float[Lanes.Count], constants = stackalloc float[Lanes.Count];
        for (var c = 0; c < count; c++)
        {
            double inverseDeviation = inverse[first + c];
            factors[c] = (float)(inverseDeviation * (gamma is null ? 1 : gamma[first + c]));
            slopes[c] = batchStatistics ? (float)(inverseDeviation * inverseDeviation * products[c] / PerChannel) : 0f;
            constants[c] = batchStatistics ? (float)(sums[c] / PerChannel) : 0f;
        }

        if (byRows)
        {
            var map = new NormalizeGradientMap(
                Lanes.LoadFirst(mean + first, count), Vector512.Load(factors), Vector512.Load(slopes), Vector512.Load(constants));
            for (var at = first; at < PerChannel * channels; at += channels)
                map.Apply(Lanes.LoadFirst(x + at, count), Lanes.LoadFirst(dy + at, count)).StoreFirst(dx + at, count);
        }
        else
        {
            var map = new NormalizeGradientMap(mean[first], *factors, *slopes, *constants);
            for (var at = first * pixels; at < PerChannel * channels; at += channels * pixels) VectorMap.Run(map, x + at, dy + at, dx + at, pixels);
        }
    }

    private PlaneSums Planes => new(images, channels * pixels, pixels);

    private (long First, int Count) Range(long bundle) =>
        byRows ? (bundle * Lanes.Count, (int)Math.Min(Lanes.Count, channels - bundle * Lanes.Count)) : (bundle, 1);
}
