using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// The channels of a tensor (N, C, ...) in bundles that one thread does at a time: one channel where each of its planes is
/// contiguous and large, a few neighbouring ones where planes are small, sixteen where a row of channels is contiguous.
/// </summary>
internal readonly unsafe struct NormalizationChannels(Tensor x)
{
    private readonly long images = x.Shape[0], channels = x.Shape[1], pixels = x.Shape.CountFrom(2);
    private readonly bool byRows = x.Layout == Layout.Nhwc || x.Shape.CountFrom(2) == 1;

    /// <summary>Elements of an image that make a run of memory long enough to be read at full speed.</summary>
    private const long Run = 512;

    /// <summary>Number of bundles.</summary>
    public long Bundles => (channels + Width - 1) / Width;

    /// <summary>Bundles worth waking a thread.</summary>
    public long Grain => 1 + (1 << 13) / Math.Max(1, PerChannel * Width);

    /// <summary>Channels of a bundle.</summary>
    private long Width => byRows ? Lanes.Count : Math.Clamp(Run / Math.Max(1, pixels), 1, PlaneSums.MostChannels);

    /// <summary>Elements per channel.</summary>
    private long PerChannel => images * pixels;

    /// <summary>Mean and 1 / sqrt(variance + eps) of each channel of a bundle, and the running statistics that take them in.</summary>
    public void Statistics(long bundle, float* x, float eps, float* mean, float* inverse, RunningUpdate running)
    {
        var (first, count) = Range(bundle);
        double* means = stackalloc double[Lanes.Count], variances = stackalloc double[Lanes.Count];
        if (byRows) new RowSums(PerChannel, channels, count).Moments(x + first, means, variances);
        else Planes(count).Moments(x + first * pixels, means, variances);
        for (var c = 0; c < count; c++)
        {
            mean[first + c] = (float)means[c];
            inverse[first + c] = (float)(1 / Math.Sqrt(variances[c] + eps));
            running.Take(first + c, means[c], variances[c], PerChannel);
        }
    }

    /// <summary>y = clamp(gamma (x - mean) inverse + beta + residual).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Normalize(long bundle, float* x, float* mean, float* inverse, float* gamma, float* beta, float* residual, ClampRange range, float* y)
    {
        var (first, count) = Range(bundle);
        var factor = Lanes.LoadFirst(inverse + first, count);
        if (gamma is not null) factor *= Lanes.LoadFirst(gamma + first, count);
        var shift = beta is null ? Vector512<float>.Zero : Lanes.LoadFirst(beta + first, count);
        var center = Lanes.LoadFirst(mean + first, count);
        if (byRows)
        {
            var map = new NormalizeMap(center, factor, shift, range);
            if (residual is null) MapRows(map, first, count, x, y);
            else MapRows(map, first, count, x, residual, y);
        }
        else
        {
            for (var image = first * pixels; image < PerChannel * channels; image += channels * pixels)
            {
                for (var c = 0; c < count; c++)
                {
                    var at = image + c * pixels;
                    var map = new NormalizeMap(center[c], factor[c], shift[c], range);
                    if (residual is null) VectorMap.Run(map, x + at, y + at, pixels);
                    else VectorMap.Run(map, x + at, residual + at, y + at, pixels);
                }
            }
        }
    }

    /// <summary>dz = dy where the activation let its argument pass. dz may be dy.</summary>
    public void Gate(long bundle, float* y, float* dy, ClampRange range, float* dz)
    {
        var (first, count) = Range(bundle);
        var map = new ClampGradientMap(range);
        if (byRows)
        {
            MapRows(map, first, count, y, dy, dz);
        }
        else
        {
            for (var image = first * pixels; image < PerChannel * channels; image += channels * pixels)
                VectorMap.Run(map, y + image, dy + image, dz + image, count * pixels);
        }
    }

    /// <summary>Sums of dy and dy (x - mean) of each channel, and the gradients by gamma and beta that follow, where wanted.</summary>
    public void GradientSums(
        long bundle, float* x, float* dy, float* mean, float* inverse, double* sums, double* products, float* dgamma, float* dbeta)
    {
        var (first, count) = Range(bundle);
        if (byRows) new RowSums(PerChannel, channels, count).GradientSums(x + first, dy + first, mean + first, sums, products);
        else Planes(count).GradientSums(x + first * pixels, dy + first * pixels, mean + first, sums, products);
        for (var c = 0; c < count; c++)
        {
            if (dgamma is not null) dgamma[first + c] = (float)(products[c] * inverse[first + c]);
            if (dbeta is not null) dbeta[first + c] = (float)sums[c];
        }
    }

    /// <summary>The gradient by x, from the sums of dy and dy (x - mean) where the statistics came from x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
            MapRows(map, first, count, x, dy, dx);
        }
        else
        {
            for (var image = first * pixels; image < PerChannel * channels; image += channels * pixels)
            {
                for (var c = 0; c < count; c++)
                {
                    var at = image + c * pixels;
                    VectorMap.Run(new NormalizeGradientMap(mean[first + c], factors[c], slopes[c], constants[c]), x + at, dy + at, dx + at, pixels);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MapRows<TMap>(TMap map, long first, int count, float* x, float* y) where TMap : struct, IMap
    {
        for (var at = first; at < PerChannel * channels; at += channels) map.Apply(Lanes.LoadFirst(x + at, count)).StoreFirst(y + at, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MapRows<TMap>(TMap map, long first, int count, float* a, float* b, float* y) where TMap : struct, IMapPair
    {
        for (var at = first; at < PerChannel * channels; at += channels)
            map.Apply(Lanes.LoadFirst(a + at, count), Lanes.LoadFirst(b + at, count)).StoreFirst(y + at, count);
    }

    private PlaneSums Planes(int count) => new(images, channels * pixels, pixels, count);

    private (long First, int Count) Range(long bundle) => (bundle * Width, (int)Math.Min(Width, channels - bundle * Width));
}
