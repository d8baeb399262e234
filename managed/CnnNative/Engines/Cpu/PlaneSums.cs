using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Sums over neighbouring channels of (N, C, pixels) in NCHW order: image by image, so that small planes are read as one run of
/// memory. Sums run in floats over about <see cref="Segment"/> elements and go on in double.
/// </summary>
/// <param name="images">N.</param>
/// <param name="step">Distance of images: C * pixels.</param>
/// <param name="pixels">Elements of a plane.</param>
/// <param name="channels">Channels here.</param>
internal readonly unsafe struct PlaneSums(long images, long step, long pixels, int channels)
{
    /// <summary>Most channels at a time.</summary>
    public const int MostChannels = Lanes.Count;

    /// <summary>Elements that are summed in float.</summary>
    private const long Segment = 1 << 12;

    /// <summary>
    /// Mean and variance of each channel in one pass: of the distances from the mean m of the first plane. The first plane's own
    /// share of the variance bounds (mean - m)^2 by N variances, so that however large the mean is, at most that little cancels.
    /// </summary>
    public void Moments(float* x, double* mean, double* variance)
    {
        var centers = stackalloc float[MostChannels];
        var totals = stackalloc Totals[MostChannels];
        for (var c = 0; c < channels && images * pixels > 0; c++)
        {
            var head = default(Totals);
            AddDistances(x + c * pixels, Math.Min(pixels, Segment), 0f, ref head);
            centers[c] = Center.Of(head.End().Sum / Math.Min(pixels, Segment));
            totals[c] = default;
        }

        for (long n = 0; n < images; n++, x += step)
        {
            for (var c = 0; c < channels; c++) AddDistances(x + c * pixels, pixels, centers[c], ref totals[c]);
        }

        double count = images * pixels;
        for (var c = 0; c < channels; c++)
        {
            var (sum, squares) = totals[c].End();
            var distance = sum / count;
            mean[c] = centers[c] + distance;
            variance[c] = count == 0 ? double.NaN : Math.Max(0, squares / count - distance * distance);
        }
    }

    /// <summary>Sum of dy, and of dy * (x - mean), of each channel.</summary>
    public void GradientSums(float* x, float* dy, float* mean, double* sum, double* product)
    {
        var totals = stackalloc Totals[MostChannels];
        for (var c = 0; c < channels; c++) totals[c] = default;
        for (long n = 0; n < images; n++, x += step, dy += step)
        {
            for (var c = 0; c < channels; c++) AddProducts(dy + c * pixels, x + c * pixels, pixels, mean[c], ref totals[c]);
        }

        for (var c = 0; c < channels; c++) (sum[c], product[c]) = totals[c].End();
    }

    /// <summary>Adds x - center and its square. Lanes beyond the end hold the center: their distance is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddDistances(float* x, long length, float center, ref Totals totals)
    {
        var (shift, total) = (Vector512.Create(center), totals);
        for (long start = 0; start < length; start += Segment)
        {
            var count = Math.Min(Segment, length - start);
            for (long i = 0; i < count; i += 2 * Lanes.Count)
            {
                var at = x + start + i;
                var first = Lanes.LoadFirst(at, count - i, center) - shift;
                var second = Lanes.LoadFirst(at + Lanes.Count, count - i - Lanes.Count, center) - shift;
                total.Add(first, first, second, second);
            }

            total.Count(count);
        }

        totals = total;
    }

    /// <summary>Adds a and a * (b - center). Lanes beyond the end have a = 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddProducts(float* a, float* b, long length, float center, ref Totals totals)
    {
        var (shift, total) = (Vector512.Create(center), totals);
        for (long start = 0; start < length; start += Segment)
        {
            var count = Math.Min(Segment, length - start);
            for (long i = 0; i < count; i += 2 * Lanes.Count)
            {
                var (at, rest) = (start + i, count - i);
                total.Add(
                    Lanes.LoadFirst(a + at, rest), Lanes.LoadFirst(b + at, rest) - shift,
                    Lanes.LoadFirst(a + at + Lanes.Count, rest - Lanes.Count), Lanes.LoadFirst(b + at + Lanes.Count, rest - Lanes.Count) - shift);
            }

            total.Count(count);
        }

        totals = total;
    }

    /// <summary>Two pairs of float sums in progress, and the double ones they are emptied into.</summary>
    private struct Totals
    {
        private Vector512<float> sum0, sum1, product0, product1;
        private double sum, product;
        private long pending;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(Vector512<float> a0, Vector512<float> b0, Vector512<float> a1, Vector512<float> b1)
        {
            sum0 += a0;
            sum1 += a1;
            product0 = Vector512.FusedMultiplyAdd(a0, b0, product0);
            product1 = Vector512.FusedMultiplyAdd(a1, b1, product1);
        }

        /// <summary>Notes that so many more elements are in the float sums.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Count(long elements)
        {
            pending += elements;
            if (pending >= Segment) Empty();
        }

        public (double Sum, double Product) End()
        {
            Empty();
            return (sum, product);
        }

        private void Empty()
        {
            sum += Lanes.SumDouble(sum0) + Lanes.SumDouble(sum1);
            product += Lanes.SumDouble(product0) + Lanes.SumDouble(product1);
            (sum0, sum1, product0, product1, pending) = (default, default, default, default, 0);
        }
    }
}
