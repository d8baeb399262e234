using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.TestKit;
using CnnNative.Tests.Functions;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>Shapes that take each way through the native engine's convolution, in both layouts, by each algorithm, against the definition.</summary>
[TestFixture, LeakGuard]
public sealed class NativeConvolutionTests : IDeviceFixture
{
    private CudaDevice? device;

    public Device Device => device ?? throw new InvalidOperationException("the fixture is not set up");

    private NativeConvolution Engine => (NativeConvolution)Device.Engine.Convolution;

    [OneTimeSetUp]
    public void Open() => device = CudaUnderTest.Open();

    [OneTimeTearDown]
    public void Close() => device?.Dispose();

    [TestCaseSource(typeof(ConvolutionShapes), nameof(ConvolutionShapes.Problems))]
    public void Agrees_with_the_definition(ConvolutionProblem problem)
    {
        var sample = ConvolutionCase.Random(problem, new Random(11), bias: true);
        var expected = (sample.InFloat(), sample.InDouble());
        foreach (var layout in Enum.GetValues<Layout>())
        {
            Check(Run(sample, layout, layout, layout), expected);
            // Models keep their filters in NCHW whatever the images are in.
            if (layout == Layout.Nhwc) Check(Run(sample, layout, Layout.Nchw, layout), expected);
        }
    }

    [TestCaseSource(typeof(ConvolutionShapes), nameof(ConvolutionShapes.Problems))]
    public void Every_algorithm_agrees_with_the_definition(ConvolutionProblem problem)
    {
        var sample = ConvolutionCase.Random(problem, new Random(12), bias: true);
        var expected = (sample.InFloat(), sample.InDouble());
        foreach (var layout in Enum.GetValues<Layout>())
        {
            foreach (var algorithm in (ConvolutionAlgorithm[])[ConvolutionAlgorithm.ImplicitGemm, ConvolutionAlgorithm.Columns, ConvolutionAlgorithm.Pointwise])
            {
                if (Enum.GetValues<ConvolutionPass>().All(pass => ConvolutionPlan.Supports(algorithm, problem, pass, DType.Float32, layout, layout)))
                    Check(Forced(algorithm, () => Run(sample, layout, layout, layout)), expected);
            }
        }
    }

    [Test]
    public void Layouts_may_be_mixed([Values] Layout x, [Values] Layout w, [Values] Layout y)
    {
        var sample = ConvolutionCase.Random(ConvolutionShapes.Problem(2, 16, 7, 6, 12, 3, 2, pad: 1, stride: 2, groups: 2), new Random(13), bias: true);
        Check(Run(sample, x, w, y), (sample.InFloat(), sample.InDouble()));
    }

    [TestCase(ActivationKind.Relu)]
    [TestCase(ActivationKind.Relu6)]
    public void Activation_is_part_of_the_product(ActivationKind activation)
    {
        foreach (var problem in (ConvolutionProblem[])[ConvolutionShapes.Problem(2, 5, 9, 11, 7, 3, 3), ConvolutionShapes.Problem(1, 132, 3, 3, 36, 3, 3, pad: 1), ConvolutionShapes.Problem(2, 5, 9, 8, 7, 1, 1), ConvolutionShapes.Problem(2, 8, 9, 8, 8, 3, 3, groups: 8)])
        {
            var sample = ConvolutionCase.Random(problem, new Random(14), bias: true);
            foreach (var layout in Enum.GetValues<Layout>())
            {
                var plain = Run(sample, layout, layout, layout).Y;
                var high = activation == ActivationKind.Relu6 ? 6 : float.PositiveInfinity;
                Assert.That(Run(sample, layout, layout, layout, activation).Y, Is.EqualTo(plain.Select(v => Math.Clamp(v, 0, high))), $"{problem} {layout}");
            }
        }
    }

    [TestCaseSource(typeof(ConvolutionShapes), nameof(ConvolutionShapes.Problems))]
    public void Every_run_gives_the_same_bits(ConvolutionProblem problem)
    {
        var sample = ConvolutionCase.Random(problem, new Random(15), bias: true);
        Assert.That(Run(sample, Layout.Nchw, Layout.Nchw, Layout.Nchw).SameBits(Run(sample, Layout.Nchw, Layout.Nchw, Layout.Nchw)));
    }

    [Test]
    public void NaN_stays_where_its_window_is([Values] Layout layout)
    {
        var sample = ConvolutionCase.Random(ConvolutionShapes.Problem(1, 1, 6, 6, 1, 3, 3, pad: 1), new Random(16), bias: false);
        sample.X[2 * 6 + 2] = float.NaN;
        var y = Run(sample, layout, layout, layout, ActivationKind.Relu).Y;
        for (var i = 0; i < 36; i++) Assert.That(float.IsNaN(y[i]), Is.EqualTo(i / 6 is >= 1 and <= 3 && i % 6 is >= 1 and <= 3), $"pixel {i}");
    }

    [Test]
    public void An_algorithm_that_cannot_do_it_is_refused()
    {
        var sample = ConvolutionCase.Random(ConvolutionShapes.Problem(1, 4, 5, 5, 4, 3, 3, groups: 2), new Random(17), bias: false);
        var error = Assert.Throws<EngineNotSupportedException>(() => Forced(ConvolutionAlgorithm.Columns, () => Run(sample, Layout.Nchw, Layout.Nchw, Layout.Nchw)));
        Assert.That(error!.Message, Does.Contain("Columns").And.Contain("groups 2"));
    }

    [Test]
    public void Sizes_beyond_32_bits_are_refused()
    {
        using var x = Tensor.Empty([1, 1, 1, 1], DType.Float32, Device);
        using var y = Tensor.Empty([1, 1, 1, 1], DType.Float32, Device);
        var problem = ConvolutionShapes.Problem(1, 1, 1 << 16, 1 << 16, 1, 1, 1);
        Assert.That(() => Engine.Forward(problem, x, x, null, ActivationKind.Identity, y), Throws.TypeOf<EngineNotSupportedException>().With.Message.Contains("of one image"));
    }

    private static void Check(Found found, (ConvolutionResult<float> Naive, ConvolutionResult<double> Exact) expected)
    {
        Agreement.Check(found.Y, expected.Exact.Y, expected.Naive.Y, "y");
        Agreement.Check(found.Dx, expected.Exact.Dx, expected.Naive.Dx, "dx");
        Agreement.Check(found.Dw, expected.Exact.Dw, expected.Naive.Dw, "dw");
    }

    private Found Forced(ConvolutionAlgorithm algorithm, Func<Found> run)
    {
        Engine.Forced = algorithm;
        try
        {
            return run();
        }
        finally
        {
            Engine.Forced = null;
        }
    }

    private Found Run(ConvolutionCase sample, Layout xLayout, Layout wLayout, Layout yLayout, ActivationKind activation = ActivationKind.Identity)
    {
        var problem = sample.Problem;
        using var scope = Device.Inference();
        using var hostScope = CpuDevice.Shared.Inference();
        var (x, w, dy) = (There(sample.X, problem.InputShape, xLayout), There(sample.W, problem.WeightShape, wLayout), There(sample.Dy, problem.OutputShape, yLayout));
        var (y, dx, dw) = (Unset(problem.OutputShape, yLayout), Unset(problem.InputShape, xLayout), Unset(problem.WeightShape, wLayout));
        Engine.Forward(problem, x, w, sample.B is null ? null : There(sample.B, [problem.K], Layout.Nchw), activation, y);
        Engine.BackwardData(problem, dy, w, dx);
        Engine.BackwardWeight(problem, x, dy, dw);
        return new(Back(y), Back(dx), Back(dw));

        Tensor There(float[] numbers, Shape shape, Layout layout) => Tensor.From(numbers, shape, CpuDevice.Shared).ToLayout(layout).To(Device);
        Tensor Unset(Shape shape, Layout layout) => Tensor.Full(shape, float.NaN, CpuDevice.Shared).ToLayout(layout).To(Device);
        static float[] Back(Tensor tensor) => tensor.To(CpuDevice.Shared).ToArray<float>();
    }

    private sealed record Found(float[] Y, float[] Dx, float[] Dw)
    {
        public bool SameBits(Found other) => Bits(Y).SequenceEqual(Bits(other.Y)) && Bits(Dx).SequenceEqual(Bits(other.Dx)) && Bits(Dw).SequenceEqual(Bits(other.Dw));

        private static IEnumerable<int> Bits(float[] numbers) => numbers.Select(BitConverter.SingleToInt32Bits);
    }
}
