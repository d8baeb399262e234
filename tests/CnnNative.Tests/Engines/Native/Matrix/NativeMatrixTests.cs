using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Matrix;

/// <summary>Matrix products on the device over sizes with tails, with all transposes, against the definition in double.</summary>
[TestFixture, LeakGuard]
public sealed class NativeMatrixTests : IDeviceFixture
{
    private static readonly (int M, int N, int K)[] Sizes =
    [
        (1, 1, 1), (1, 1, 0), (3, 5, 0), (0, 4, 3), (4, 0, 3), (1, 443, 17), (443, 1, 17), (7, 17, 3), (9, 49, 257), (64, 10, 84), (64, 120, 400),
        (13, 443, 30), (130, 200, 31), (300, 3, 5), (33, 31, 1000), (128, 128, 64),
    ];

    private CudaDevice? device;

    public Device Device => device ?? throw new InvalidOperationException("the fixture is not set up");

    [OneTimeSetUp]
    public void Open() => device = CudaUnderTest.Open();

    [OneTimeTearDown]
    public void Close() => device?.Dispose();

    [Test]
    public void Product_of_any_size_and_transpose([ValueSource(nameof(Sizes))] (int M, int N, int K) size, [Values] bool transposeA, [Values] bool transposeB)
    {
        using var scope = Device.Inference();
        var (m, n, k) = size;
        float[] a = Numbers(m * k, 1), b = Numbers(k * n, 2), unset = [.. Enumerable.Repeat(float.NaN, m * n)];
        var c = Tensor.From(unset, [m, n], Device);
        Device.Engine.Matrix.Multiply(
            Tensor.From(a, transposeA ? [k, m] : [m, k], Device), transposeA, Tensor.From(b, transposeB ? [n, k] : [k, n], Device), transposeB, c);
        var exact = NaiveMatrix.Multiply(Cast.Double(a), transposeA, Cast.Double(b), transposeB, m, n, k);
        var naive = NaiveMatrix.Multiply(a, transposeA, b, transposeB, m, n, k);
        Agreement.Check(c.ToArray<float>(), exact, naive, $"({m}, {k}) x ({k}, {n})");
    }

    [Test]
    public void Linear_adds_the_bias_and_clamps(
        [Values(ActivationKind.Identity, ActivationKind.Relu, ActivationKind.Relu6)] ActivationKind activation, [Values] bool hasBias, [Values(1, 64, 67)] int rows)
    {
        using var scope = Device.Inference();
        const int width = 301, outputs = 53;
        float[] x = Numbers(rows * width, 3), w = Numbers(outputs * width, 4), bias = hasBias ? Numbers(outputs, 5) : new float[outputs];
        var y = Tensor.Empty([rows, outputs], DType.Float32, Device);
        Device.Engine.Matrix.LinearForward(
            Tensor.From(x, [rows, width], Device), Tensor.From(w, [outputs, width], Device), hasBias ? Tensor.From(bias, [outputs], Device) : null, activation, y);
        var exact = NaiveMatrix.Multiply(Cast.Double(x), false, Cast.Double(w), true, rows, outputs, width).Select((sum, i) => Apply(activation, sum + bias[i % outputs])).ToArray();
        var naive = NaiveMatrix.Multiply(x, false, w, true, rows, outputs, width).Select((sum, i) => (float)Apply(activation, sum + bias[i % outputs])).ToArray();
        Agreement.Check(y.ToArray<float>(), exact, naive, "linear");
    }

    [Test]
    public void NaN_passes_through_the_clamp()
    {
        using var scope = Device.Inference();
        var y = Tensor.Empty([1, 1], DType.Float32, Device);
        Device.Engine.Matrix.LinearForward(Tensor.From([float.NaN], [1, 1], Device), Tensor.From([1f], [1, 1], Device), null, ActivationKind.Relu, y);
        Assert.That(y.ToArray<float>()[0], Is.NaN);
    }

    // Lines of whole units of 16 bytes are copied at once, others by elements; the sizes hit tails of tiles, of steps and of units.
    private static readonly (int M, int N, int K)[] HalfSizes =
    [
        (8, 72, 8), (136, 72, 520), (13, 10, 84), (64, 120, 27), (1, 1, 0), (3, 443, 5), (200, 328, 72), (72, 264, 1096),
    ];

    [Test]
    public void Halves_of_any_size_and_transpose(
        [Values(DType.BFloat16, DType.Float16)] DType type, [Values] bool transposeA, [Values] bool transposeB, [ValueSource(nameof(HalfSizes))] (int M, int N, int K) size,
        [Values] bool wgmma)
    {
        using var kernels = WgmmaSwitch.To(wgmma, Device);
        using var scope = Device.Inference();
        var (m, n, k) = size;
        float[] a = Eighths(m * k, 6), b = Eighths(k * n, 7);
        var c = Tensor.Empty([m, n], type, Device);
        Device.Engine.Matrix.Multiply(
            Halves(a, transposeA ? [k, m] : [m, k], type), transposeA, Halves(b, transposeB ? [n, k] : [k, n], type), transposeB, c);
        var exact = NaiveMatrix.Multiply(Cast.Double(a), transposeA, Cast.Double(b), transposeB, m, n, k);
        var found = Tensor.Empty([m, n], DType.Float32, Device);
        ((NativeElementwise)Device.Engine.Elementwise).Cast(c, found);
        // Sums of eighths are exact in float: the result is rounded once.
        Agreement.CheckRounded(found.ToArray<float>(), exact, $"({m}, {k}) x ({k}, {n})", type);
    }

    private Tensor Halves(float[] numbers, Shape shape, DType type)
    {
        var halves = Tensor.Empty(shape, type, Device);
        ((NativeElementwise)Device.Engine.Elementwise).Cast(Tensor.From(numbers, shape, Device), halves);
        return halves;
    }

    private static float[] Eighths(int count, int seed)
    {
        var random = new Random(seed);
        return Array.ConvertAll(new float[count], _ => random.Next(-8, 9) / 8f);
    }

    private static double Apply(ActivationKind activation, double value) => activation switch
    {
        ActivationKind.Relu => Math.Max(value, 0),
        ActivationKind.Relu6 => Math.Clamp(value, 0, 6),
        _ => value,
    };

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return Array.ConvertAll(new float[count], _ => random.NextSingle() * 2 - 1);
    }
}
