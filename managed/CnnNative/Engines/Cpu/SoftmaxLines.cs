using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// The lines of a tensor along one axis, in bundles that one thread does at a time: where the axis is innermost, one line
/// with sixteen of its elements in a vector; else up to 128 neighbouring lines, one in each lane of eight vectors.
/// Element i of line j of a bundle is at i * Inner + j from its start.
/// </summary>
/// <param name="outer">Product of the sizes outside the axis.</param>
/// <param name="size">Size of the axis.</param>
/// <param name="inner">Product of the sizes inside it: the distance of neighbours along a line.</param>
internal readonly unsafe struct SoftmaxLines(long outer, long size, long inner)
{
    /// <summary>Most lines in a bundle.</summary>
    public const int Width = 8 * Lanes.Count;

    private readonly long bundlesPerBlock = inner == 1 ? 1 : (inner + Width - 1) / Width;

    /// <summary>Elements of a line.</summary>
    public long Size => size;

    /// <summary>Distance in memory of the elements of a line.</summary>
    public long Inner => inner;

    /// <summary>Number of bundles; none where lines are empty.</summary>
    public long Bundles => size == 0 ? 0 : outer * bundlesPerBlock;

    /// <summary>Bundles worth waking a thread.</summary>
    public long Grain => 1 + (1 << 13) / (Math.Max(size, 1) * Math.Min(inner, Width));

    /// <summary>The lines of x along an axis, in its memory order.</summary>
    public static SoftmaxLines Along(Tensor x, int axis)
    {
        var (outer, size, inner) = AxisLines.Along(x, axis);
        return new(outer, size, inner);
    }

    /// <summary>First element of a bundle, and its number of lines.</summary>
    public long Start(long bundle, out int count)
    {
        var line = bundle % bundlesPerBlock * Width;
        count = (int)Math.Min(Width, inner - line);
        return bundle / bundlesPerBlock * size * inner + line;
    }

    /// <summary>Softmax of one bundle, or its logarithm.</summary>
    public void Forward(float* x, float* y, int count, bool logarithm)
    {
        float* maxima = stackalloc float[Width], sums = stackalloc float[Width];
        if (!logarithm) Probabilities(x, y, count, maxima, sums);
        else if (inner == 1) LogRow(x, y);
        else LogColumns(x, y, count, maxima, sums);
    }

    /// <summary>
    /// Softmax of one bundle, and what its logarithm is made of: ln p = x - maximum - ln(sum), one maximum and one sum per line.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Probabilities(float* x, float* y, int count, float* maxima, float* sums)
    {
        if (inner == 1)
        {
            *maxima = RowMaximum(x);
            var sum = RowExponentials(x, y, *maxima);
            *sums = (float)sum;
            VectorMap.Run(new ScaleMap((float)(1 / sum)), y, y, size);
            return;
        }

        ColumnMaxima(x, count, maxima);
        ColumnExponentials(x, y, count, maxima, sums);
        for (long i = 0; i < size; i++)
        {
            for (var j = 0; j < count; j += Lanes.Count)
            {
                var at = y + i * inner + j;
                (Lanes.LoadFirst(at, count - j) / Vector512.Load(sums + j)).StoreFirst(at, count - j);
            }
        }
    }

    /// <summary>dx = y (dy - sum(dy y)), or dy - exp(y) sum(dy), of one bundle.</summary>
    public void Backward(float* y, float* dy, float* dx, int count, bool logarithm)
    {
        if (inner == 1) BackwardRow(y, dy, dx, logarithm);
        else BackwardColumns(y, dy, dx, count, logarithm);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void LogRow(float* x, float* y)
    {
        var maximum = RowMaximum(x);
        var log = Vector512.Create((float)Math.Log(RowExponentials(x, null, maximum)));
        var shift = Vector512.Create(maximum);
        for (long i = 0; i < size; i += Lanes.Count) (Lanes.LoadFirst(x + i, size - i) - shift - log).StoreFirst(y + i, size - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void LogColumns(float* x, float* y, int count, float* maxima, float* sums)
    {
        ColumnMaxima(x, count, maxima);
        ColumnExponentials(x, null, count, maxima, sums);
        for (var j = 0; j < count; j += Lanes.Count) VectorMath.Log(Vector512.Load(sums + j)).Store(sums + j);
        for (long i = 0; i < size; i++)
        {
            for (var j = 0; j < count; j += Lanes.Count)
            {
                var at = i * inner + j;
                (Lanes.LoadFirst(x + at, count - j) - Vector512.Load(maxima + j) - Vector512.Load(sums + j)).StoreFirst(y + at, count - j);
            }
        }
    }

    /// <summary>The largest element of a row. A NaN may be missed: the sum of exponentials finds it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float RowMaximum(float* x)
    {
        var maximum = Vector512.Create(float.NegativeInfinity);
        for (long i = 0; i < size; i += Lanes.Count)
            maximum = Vector512.MaxNative(maximum, Lanes.LoadFirst(x + i, size - i, float.NegativeInfinity));
        var half = Vector256.MaxNative(maximum.GetLower(), maximum.GetUpper());
        var quarter = Vector128.MaxNative(half.GetLower(), half.GetUpper());
        return MathF.Max(MathF.Max(quarter[0], quarter[1]), MathF.Max(quarter[2], quarter[3]));
    }

    /// <summary>y = exp(x - maximum), where y is wanted; returns the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double RowExponentials(float* x, float* y, float maximum)
    {
        var shift = Vector512.Create(maximum);
        var sum = Vector512<float>.Zero;
        for (long i = 0; i < size; i += Lanes.Count)
        {
            // The lanes beyond the end are exp(-infinity) = 0.
            var e = VectorMath.Exp(Lanes.LoadFirst(x + i, size - i, float.NegativeInfinity) - shift);
            sum += e;
            if (y is not null) e.StoreFirst(y + i, size - i);
        }

        return Lanes.SumDouble(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ColumnMaxima(float* x, int count, float* maxima)
    {
        new Span<float>(maxima, Width).Fill(float.NegativeInfinity);
        for (long i = 0; i < size; i++)
        {
            for (var j = 0; j < count; j += Lanes.Count)
                Vector512.MaxNative(Vector512.Load(maxima + j), Lanes.LoadFirst(x + i * inner + j, count - j)).Store(maxima + j);
        }
    }

    /// <summary>y = exp(x - maximum), where y is wanted, and the sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ColumnExponentials(float* x, float* y, int count, float* maxima, float* sums)
    {
        new Span<float>(sums, Width).Clear();
        for (long i = 0; i < size; i++)
        {
            for (var j = 0; j < count; j += Lanes.Count)
            {
                var e = VectorMath.Exp(Lanes.LoadFirst(x + i * inner + j, count - j) - Vector512.Load(maxima + j));
                (Vector512.Load(sums + j) + e).Store(sums + j);
                if (y is not null) e.StoreFirst(y + i * inner + j, count - j);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void BackwardRow(float* y, float* dy, float* dx, bool logarithm)
    {
        var partial = Vector512<float>.Zero;
        for (long i = 0; i < size; i += Lanes.Count)
        {
            var gradient = Lanes.LoadFirst(dy + i, size - i);
            partial = logarithm ? partial + gradient : Vector512.FusedMultiplyAdd(gradient, Lanes.LoadFirst(y + i, size - i), partial);
        }

        var sum = Vector512.Create((float)Lanes.SumDouble(partial));
        for (long i = 0; i < size; i += Lanes.Count)
            Slope(Lanes.LoadFirst(y + i, size - i), Lanes.LoadFirst(dy + i, size - i), sum, logarithm).StoreFirst(dx + i, size - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void BackwardColumns(float* y, float* dy, float* dx, int count, bool logarithm)
    {
        var sums = stackalloc float[Width];
        new Span<float>(sums, Width).Clear();
        for (long i = 0; i < size; i++)
        {
            for (var j = 0; j < count; j += Lanes.Count)
            {
                var at = i * inner + j;
                var (gradient, sum) = (Lanes.LoadFirst(dy + at, count - j), Vector512.Load(sums + j));
                sum = logarithm ? sum + gradient : Vector512.FusedMultiplyAdd(gradient, Lanes.LoadFirst(y + at, count - j), sum);
                sum.Store(sums + j);
            }
        }

        for (long i = 0; i < size; i++)
        {
            for (var j = 0; j < count; j += Lanes.Count)
            {
                var (at, rest) = (i * inner + j, count - j);
                Slope(Lanes.LoadFirst(y + at, rest), Lanes.LoadFirst(dy + at, rest), Vector512.Load(sums + j), logarithm).StoreFirst(dx + at, rest);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Slope(Vector512<float> y, Vector512<float> dy, Vector512<float> sum, bool logarithm) =>
        logarithm ? Vector512.FusedMultiplyAdd(-VectorMath.Exp(y), sum, dy) : y * (dy - sum);
}
