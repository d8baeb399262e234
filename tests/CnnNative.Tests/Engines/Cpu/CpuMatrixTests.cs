using CnnNative.Engines;
using CnnNative.Engines.Cpu;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Matrix products over sizes with tails, with all transposes, against the definition in double; the same bits on any number of threads.</summary>
public sealed class CpuMatrixTests
{
    private static readonly (int M, int N, int K)[] Sizes =
    [
        (1, 1, 1), (1, 1, 0), (3, 5, 0), (0, 4, 3), (4, 0, 3), (1, 443, 17), (443, 1, 17), (7, 17, 3), (8, 48, 256), (9, 49, 257), (15, 47, 511),
        (16, 64, 513), (64, 10, 84), (64, 120, 400), (13, 443, 300), (100, 200, 31), (1031, 3, 5), (33, 31, 1000),
    ];

    [Test]
    public void ProductOfAnySizeAndTranspose(
        [ValueSource(nameof(Sizes))] (int M, int N, int K) size, [Values] bool transposeA, [Values] bool transposeB, [Values(1, 3)] int threads)
    {
        using var device = new CpuDevice(threads);
        using var scope = device.Inference();
        var (m, n, k) = size;
        float[] a = Numbers(m * k, 1), b = Numbers(k * n, 2);
        var c = Tensor.Full([m, n], float.NaN, device);
        device.Engine.Matrix.Multiply(
            Tensor.From(a, transposeA ? [k, m] : [m, k], device), transposeA, Tensor.From(b, transposeB ? [n, k] : [k, n], device), transposeB, c);
        var exact = NaiveMatrix.Multiply(Cast.Double(a), transposeA, Cast.Double(b), transposeB, m, n, k);
        var naive = NaiveMatrix.Multiply(a, transposeA, b, transposeB, m, n, k);
        Agreement.Check(c.ToArray<float>(), exact, naive, $"({m}, {k}) x ({k}, {n})");
    }

    [Test]
    public void LinearAddsTheBiasAndActivates([Values] ActivationKind activation, [Values] bool hasBias, [Values(1, 64, 67)] int rows)
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        const int width = 301, outputs = 53;
        float[] x = Numbers(rows * width, 3), w = Numbers(outputs * width, 4), bias = hasBias ? Numbers(outputs, 5) : new float[outputs];
        var y = Tensor.Empty([rows, outputs], DType.Float32, device);
        device.Engine.Matrix.LinearForward(
            Tensor.From(x, [rows, width], device), Tensor.From(w, [outputs, width], device), hasBias ? Tensor.From(bias, [outputs], device) : null, activation, y);
        var exact = NaiveMatrix.Multiply(Cast.Double(x), false, Cast.Double(w), true, rows, outputs, width).Select((sum, i) => Apply(activation, sum + bias[i % outputs])).ToArray();
        var naive = NaiveMatrix.Multiply(x, false, w, true, rows, outputs, width).Select((sum, i) => (float)Apply(activation, sum + bias[i % outputs])).ToArray();
        Agreement.Check(y.ToArray<float>(), exact, naive, "linear");
    }

    [Test]
    public void SumOfRows([Values(0, 1, 2, 443)] int rows, [Values(1, 10, 129)] int columns)
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var dy = Numbers(rows * columns, 6);
        var db = Tensor.Full([columns], float.NaN, device);
        device.Engine.Matrix.SumRows(Tensor.From(dy, [rows, columns], device), db);
        Agreement.Check(db.ToArray<float>(), NaiveMatrix.SumRows(Cast.Double(dy), columns), NaiveMatrix.SumRows(dy, columns), "sum of rows");
    }

    [Test]
    public void AnyNumberOfThreadsGivesTheSameBits([Values] bool transposeA, [Values] bool transposeB)
    {
        var alone = Product(1);
        foreach (var threads in (int[])[2, 3, 5]) Assert.That(Product(threads), Is.EqualTo(alone), $"{threads} threads");

        float[] Product(int threads)
        {
            const int m = 203, n = 307, k = 601;
            using var device = new CpuDevice(threads);
            using var scope = device.Inference();
            var c = Tensor.Empty([m, n], DType.Float32, device);
            var (a, b) = (Tensor.From(Numbers(m * k, 7), transposeA ? [k, m] : [m, k], device), Tensor.From(Numbers(k * n, 8), transposeB ? [n, k] : [k, n], device));
            device.Engine.Matrix.Multiply(a, transposeA, b, transposeB, c);
            return c.ToArray<float>();
        }
    }

    [Test]
    public void BlocksCoverTheMatrixOnce([Values(1, 8, 129, 2000)] int m, [Values(1, 48, 443)] int n, [Values(1, 4096)] int k, [Values(1, 2, 16)] int threads)
    {
        var split = GemmSplit.Choose(m, n, k, products: 1, threads);
        var hits = new int[m * n];
        for (var block = 0; block < split.Blocks; block++)
        {
            var area = split.Area(block);
            Assert.That(area.FirstRow % GemmKernels.Rows, Is.Zero);
            for (var i = area.FirstRow; i < area.LastRow; i++)
            {
                for (var j = area.FirstColumn; j < area.LastColumn; j++) hits[i * n + j]++;
            }
        }

        Assert.That(Array.TrueForAll(hits, hit => hit == 1), "every element in one block");
    }

    [Test]
    public void TransposedCopy([Values(0, 1, 7, 8, 9, 31)] int rows, [Values(0, 1, 7, 8, 16, 43)] int columns)
    {
        var source = Numbers(rows * columns, 9);
        var target = new float[rows * columns];
        unsafe
        {
            fixed (float* from = source, to = target) CpuTranspose.Copy(rows, columns, from, columns, to, rows);
        }

        Assert.That(target, Is.EqualTo(Enumerable.Range(0, rows * columns).Select(i => source[i % rows * columns + i / rows])));
    }

    private static double Apply(ActivationKind kind, double x) => kind switch
    {
        ActivationKind.Relu => Math.Max(x, 0),
        ActivationKind.Relu6 => Math.Clamp(x, 0, 6),
        ActivationKind.Sigmoid => 1 / (1 + Math.Exp(-x)),
        ActivationKind.Tanh => Math.Tanh(x),
        _ => x,
    };

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return Array.ConvertAll(new float[count], _ => random.NextSingle() * 2 - 1);
    }
}
