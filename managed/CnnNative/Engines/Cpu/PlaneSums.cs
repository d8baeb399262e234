using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Sums over one channel of (N, C, pixels) in NCHW order, whose planes lie C * pixels apart. Sums run in floats over at most
/// <see cref="Segment"/> elements and go on in double.
/// </summary>
/// <param name="images">N.</param>
/// <param name="step">Distance of the planes of a channel.</param>
/// <param name="pixels">Elements of a plane.</param>
internal readonly unsafe struct PlaneSums(long images, long step, long pixels)
{
    /// <summary>Elements that are summed in float.</summary>
    public const long Segment = 1 << 12;

    /// <summary>
    /// Mean and variance in one pass: of the distances from the mean m of the first plane. The first plane's own share of
    /// the variance bounds (mean - m)^2 by N variances, so that however large the mean is, at most that little cancels.
    /// </summary>
    public (double Mean, double Variance) Moments(float* x)
    {
        var count = images * pixels;
        if (count == 0) return (double.NaN, double.NaN);
        var head = Math.Min(pixels, Segment);
        var center = (float)(Sums(x, x, 0f, 1, head).Sum / head);
        var (sum, squares) = Moments(x, center);
        var mean = sum / count;
        return (center + mean, Math.Max(0, squares / count - mean * mean));
    }

    /// <summary>Sum of dy, and of dy * (x - mean).</summary>
    public (double Sum, double Product) GradientSums(float* x, float* dy, float mean) => Sums(dy, x, mean, images, pixels);

    private (double Sum, double Squares) Moments(float* x, float center)
    {
        var shift = Vector512.Create(center);
        var total = default(Totals);
        for (long n = 0; n < images; n++, x += step)
        {
            for (long start = 0; start < pixels; start += Segment)
            {
                var count = Math.Min(Segment, pixels - start);
                for (long i = 0; i < count; i += 2 * Lanes.Count)
                {
                    // Lanes beyond the end hold the center: their distance is 0.
                    var first = Lanes.LoadFirst(x + start + i, count - i, center) - shift;
                    var second = Lanes.LoadFirst(x + start + i + Lanes.Count, count - i - Lanes.Count, center) - shift;
                    total.Add(first, first, second, second);
                }

                total.Count(count);
            }
        }

        return total.End();
    }

    /// <summary>Sum of a, and of a * (b - center), over planes of a length.</summary>
    private (double Sum, double Product) Sums(float* a, float* b, float center, long planes, long length)
    {
        var shift = Vector512.Create(center);
        var total = default(Totals);
        for (long n = 0; n < planes; n++, a += step, b += step)
        {
            for (long start = 0; start < length; start += Segment)
            {
                var count = Math.Min(Segment, length - start);
                for (long i = 0; i < count; i += 2 * Lanes.Count)
                {
                    // Lanes beyond the end have a = 0.
                    var at = start + i;
                    total.Add(
                        Lanes.LoadFirst(a + at, count - i), Lanes.LoadFirst(b + at, count - i) - shift,
                        Lanes.LoadFirst(a + at + Lanes.Count, count - i - Lanes.Count), Lanes.LoadFirst(b + at + Lanes.Count, count - i - Lanes.Count) - shift);
                }

                total.Count(count);
            }
        }

        return total.End();
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
