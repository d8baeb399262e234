using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Sums over sixteen neighbouring channels of a matrix (rows, C), one in each lane: what batch normalisation needs of (N, C),
/// and of NHWC. The same arithmetic as <see cref="PlaneSums"/>.
/// </summary>
/// <param name="rows">Rows: elements per channel.</param>
/// <param name="step">Distance of rows.</param>
/// <param name="count">Channels here, at most sixteen.</param>
internal readonly unsafe struct RowSums(long rows, long step, int count)
{
    /// <summary>Rows that are summed in float.</summary>
    private const long Segment = 256;

    /// <summary>Writes mean and variance of each channel.</summary>
    public void Moments(float* x, double* mean, double* variance)
    {
        var head = Math.Min(rows, Segment);
        double* sum = stackalloc double[Lanes.Count], product = stackalloc double[Lanes.Count];
        Sums(x, x, Vector512<float>.Zero, head, sum, product);
        var centers = stackalloc float[Lanes.Count];
        for (var c = 0; c < count; c++) centers[c] = Center.Of(sum[c] / head);
        Distances(x, Vector512.Load(centers), sum, product);
        for (var c = 0; c < count; c++)
        {
            var distance = sum[c] / rows;
            mean[c] = centers[c] + distance;
            variance[c] = rows == 0 ? double.NaN : Math.Max(0, product[c] / rows - distance * distance);
        }
    }

    /// <summary>Writes the sum of dy, and of dy * (x - mean), of each channel.</summary>
    public void GradientSums(float* x, float* dy, float* mean, double* sum, double* product) =>
        Sums(dy, x, Lanes.LoadFirst(mean, count), rows, sum, product);

    /// <summary>Sum of x - center and of its square.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Distances(float* x, Vector512<float> center, double* sum, double* squares)
    {
        Clear(sum, squares);
        for (long start = 0; start < rows; start += Segment)
        {
            Vector512<float> partial = default, partialSquares = default;
            for (var row = start; row < Math.Min(rows, start + Segment); row++)
            {
                var distance = Lanes.LoadFirst(x + row * step, count) - center;
                partial += distance;
                partialSquares = Vector512.FusedMultiplyAdd(distance, distance, partialSquares);
            }

            Add(partial, sum);
            Add(partialSquares, squares);
        }
    }

    /// <summary>Sum of a and of a * (b - center).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sums(float* a, float* b, Vector512<float> center, long length, double* sum, double* product)
    {
        Clear(sum, product);
        for (long start = 0; start < length; start += Segment)
        {
            Vector512<float> partial = default, partialProduct = default;
            for (var row = start; row < Math.Min(length, start + Segment); row++)
            {
                var value = Lanes.LoadFirst(a + row * step, count);
                partial += value;
                partialProduct = Vector512.FusedMultiplyAdd(value, Lanes.LoadFirst(b + row * step, count) - center, partialProduct);
            }

            Add(partial, sum);
            Add(partialProduct, product);
        }
    }

    private static void Clear(double* first, double* second)
    {
        new Span<double>(first, Lanes.Count).Clear();
        new Span<double>(second, Lanes.Count).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(Vector512<float> partial, double* sum)
    {
        for (var c = 0; c < Lanes.Count; c++) sum[c] += partial[c];
    }
}
