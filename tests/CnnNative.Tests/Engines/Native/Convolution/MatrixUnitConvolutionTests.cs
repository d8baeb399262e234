using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.TestKit;
using CnnNative.Tests.Functions;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>Convolution in bfloat16, float16 and tf32 against the definition in double on the rounded inputs.</summary>
[TestFixture, LeakGuard]
public sealed class MatrixUnitConvolutionTests : IDeviceFixture
{
    private CudaDevice? device;

    public Device Device => Cuda;

    private CudaDevice Cuda => device ?? throw new InvalidOperationException("the fixture is not set up");

    [OneTimeSetUp]
    public void Open() => device = CudaUnderTest.Open();

    [OneTimeTearDown]
    public void Close() => device?.Dispose();

    /// <summary>Shapes whose channels come in units of 16 bytes in every type.</summary>
    private static IEnumerable<ConvolutionProblem> InUnits()
    {
        yield return ConvolutionShapes.Problem(2, 8, 9, 11, 16, 3, 3, pad: 1);
        yield return ConvolutionShapes.Problem(1, 16, 9, 8, 32, 3, 2, pad: 2, stride: 2, dilation: 2, groups: 2);
        yield return ConvolutionShapes.Problem(1, 72, 9, 9, 136, 1, 1);
        yield return ConvolutionShapes.Problem(1, 136, 3, 3, 24, 3, 3, pad: 1);
        yield return ConvolutionShapes.Problem(2, 8, 8, 8, 8, 3, 3, pad: 1);
        yield return ConvolutionShapes.Problem(2, 8, 7, 6, 8, 3, 3, pad: 2, stride: 2) with { PaddingMode = PaddingMode.Reflect };
        yield return ConvolutionShapes.Problem(0, 8, 5, 5, 8, 3, 3);
    }

    /// <summary>What the engine computes in fp32 it computes in halves.</summary>
    [TestCaseSource(typeof(ConvolutionShapes), nameof(ConvolutionShapes.Problems))]
    public void Halves_take_every_shape(ConvolutionProblem problem)
    {
        HalvesAgree(problem, DType.BFloat16, Layout.Nchw);
        HalvesAgree(problem, DType.Float16, Layout.Nhwc);
        if (!Switches.Full) return;
        HalvesAgree(problem, DType.BFloat16, Layout.Nhwc);
        HalvesAgree(problem, DType.Float16, Layout.Nchw);
    }

    [Test]
    public void Halves_in_whole_units([Values(DType.BFloat16, DType.Float16)] DType type, [ValueSource(nameof(InUnits))] ConvolutionProblem problem, [Values] Layout layout) =>
        HalvesAgree(problem, type, layout);

    private void HalvesAgree(ConvolutionProblem problem, DType type, Layout layout)
    {
        var sample = Rounded(ConvolutionCase.Random(problem, new Random(21), bias: true), type);
        var (naive, exact) = (sample.InFloat(), sample.InDouble());
        var found = Run(sample, type, layout);
        // Sums are in float, results rounded once; padding that shows pixels sums gradients that are rounded already.
        CheckRounded(found.Y, exact.Y, naive.Y, $"y in {layout}", type, 1);
        CheckRounded(found.Dx, exact.Dx, naive.Dx, $"dx in {layout}", type, problem.PaddingMode == PaddingMode.Zeros ? 1 : 4);
        CheckRounded(found.Dw, exact.Dw, naive.Dw, $"dw in {layout}", type, 1);
    }

    /// <summary>Every number is off by no more than half the distance of its neighbours, so many times, and by what sums in float are.</summary>
    private static void CheckRounded(float[] actual, double[] exact, float[] naive, string what, DType type, int roundings)
    {
        var summing = naive.Zip(exact, (a, e) => Math.Abs(a - e)).DefaultIfEmpty(0).Max() + Agreement.Epsilon(DType.Float32);
        var largest = exact.Select(Math.Abs).DefaultIfEmpty(0).Max();
        Agreement.Within(actual, exact, roundings * Agreement.Epsilon(type) / 2 * largest + 4 * summing, what);
    }

    [TestCaseSource(nameof(InUnits))]
    public void Tf32_rounds_operands_and_nothing_else(ConvolutionProblem problem)
    {
        var sample = Rounded(ConvolutionCase.Random(problem, new Random(22), bias: true), DType.Float16);
        var (naive, exact) = (sample.InFloat(), sample.InDouble());
        Cuda.AllowTf32 = true;
        try
        {
            // Numbers of ten bits of mantissa lose nothing: what is left is the error of summing in float.
            var found = Run(sample, DType.Float32);
            CheckRounded(found.Y, exact.Y, naive.Y, "y", DType.Float32, Cuts(problem.C / problem.Groups * problem.R * problem.S));
            CheckRounded(found.Dx, exact.Dx, naive.Dx, "dx", DType.Float32, Cuts(problem.K / problem.Groups * problem.R * problem.S));
            CheckRounded(found.Dw, exact.Dw, naive.Dw, "dw", DType.Float32, Cuts(problem.N * problem.P * problem.Q));
        }
        finally
        {
            Cuda.AllowTf32 = false;
        }
    }

    /// <summary>
    /// Matrix units may cut off where they should round: for every eight numbers of the depth the sum, and the products that are
    /// aligned to it; two distances together, in halves. Rounding to ten bits would be a thousand times as much.
    /// </summary>
    private static int Cuts(int depth) => 4 * ((depth + 7) / 8);

    [Test]
    public void Tf32_is_used_when_it_is_asked_for_and_not_before()
    {
        var problem = ConvolutionShapes.Problem(1, 8, 5, 5, 8, 3, 3);
        var sample = ConvolutionCase.Random(problem, new Random(23), bias: false);
        var exact = sample.InDouble().Y;
        var plain = Error(Run(sample, DType.Float32).Y, exact);
        Cuda.AllowTf32 = true;
        var rounded = Error(Run(sample, DType.Float32).Y, exact);
        Cuda.AllowTf32 = false;
        Assert.That(plain, Is.LessThan(1e-6));
        Assert.That(rounded, Is.InRange(1e-5, 1e-3), "rounding to ten bits must show");
    }

    [Test]
    public void Every_run_gives_the_same_bits([Values(DType.BFloat16, DType.Float16)] DType type)
    {
        var sample = Rounded(ConvolutionCase.Random(ConvolutionShapes.Problem(1, 136, 3, 3, 24, 3, 3, pad: 1), new Random(24), bias: true), type);
        var (first, second) = (Run(sample, type), Run(sample, type));
        Assert.That(second.Y, Is.EqualTo(first.Y));
        Assert.That(second.Dx, Is.EqualTo(first.Dx));
        Assert.That(second.Dw, Is.EqualTo(first.Dw));
    }

    private static double Error(float[] actual, double[] exact) =>
        Math.Sqrt(actual.Zip(exact, (a, e) => (a - e) * (a - e)).Sum() / exact.Sum(e => e * e));

    private static ConvolutionCase Rounded(ConvolutionCase sample, DType type) => sample with
    {
        X = Round(sample.X, type), W = Round(sample.W, type), B = sample.B is null ? null : Round(sample.B, type), Dy = Round(sample.Dy, type),
    };

    private static float[] Round(float[] numbers, DType type) => Array.ConvertAll(numbers, v => type == DType.Float16
        ? (float)(Half)v
        : BitConverter.Int32BitsToSingle((int)((BitConverter.SingleToUInt32Bits(v) + 0x7fff + ((BitConverter.SingleToUInt32Bits(v) >> 16) & 1)) & 0xffff0000)));

    private Found Run(ConvolutionCase sample, DType type, Layout layout = Layout.Nhwc)
    {
        var problem = sample.Problem;
        using var scope = Device.Inference();
        using var hostScope = CpuDevice.Shared.Inference();
        var (x, w, dy) = (There(sample.X, problem.InputShape, layout), There(sample.W, problem.WeightShape, Layout.Nchw), There(sample.Dy, problem.OutputShape, layout));
        var y = Tensor.Empty(problem.OutputShape, type, Device, layout);
        var dx = Tensor.Empty(problem.InputShape, type, Device, layout);
        var dw = Tensor.Empty(problem.WeightShape, type, Device);
        var convolution = Device.Engine.Convolution;
        convolution.Forward(problem, x, w, sample.B is null ? null : There(sample.B, [problem.K], Layout.Nchw), ActivationKind.Identity, y);
        convolution.BackwardData(problem, dy, w, dx);
        convolution.BackwardWeight(problem, x, dy, dw);
        return new(Back(y), Back(dx), Back(dw));

        Tensor There(float[] numbers, Shape shape, Layout layout)
        {
            var there = Tensor.From(numbers, shape, CpuDevice.Shared).ToLayout(layout).To(Device);
            return Cast(there, type);
        }

        float[] Back(Tensor tensor) => Cast(tensor, DType.Float32).To(CpuDevice.Shared).ToArray<float>();
    }

    private Tensor Cast(Tensor tensor, DType type)
    {
        if (tensor.DType == type) return tensor;
        var cast = Tensor.Empty(tensor.Shape, type, Device, tensor.Layout);
        ((NativeElementwise)Device.Engine.Elementwise).Cast(tensor, cast);
        return cast;
    }

    private sealed record Found(float[] Y, float[] Dx, float[] Dw);
}
