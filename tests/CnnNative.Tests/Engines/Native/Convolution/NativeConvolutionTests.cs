using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.TestKit;
using CnnNative.Tests.Functions;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>Shapes that take each way through the native engine's convolution, in both layouts, by each algorithm, against the definition.</summary>
public sealed class NativeConvolutionTests : ConvolutionRunTests
{
    [TestCaseSource(typeof(NativeConvolutionShapes), nameof(NativeConvolutionShapes.Problems))]
    public void Agrees_with_the_definition(ConvolutionProblem problem)
    {
        var sample = ConvolutionCase.Random(problem, new Random(11), bias: true);
        var expected = (sample.InFloat(), sample.InDouble());
        foreach (var layout in Enum.GetValues<Layout>())
        {
            Check(Run(sample, layout), expected);
            // Models keep their filters in NCHW whatever the images are in.
            if (layout == Layout.Nhwc) Check(Run(sample, layout, Layout.Nchw, layout), expected);
        }
    }

    [TestCaseSource(typeof(NativeConvolutionShapes), nameof(NativeConvolutionShapes.Problems))]
    public void Every_algorithm_agrees_with_the_definition(ConvolutionProblem problem)
    {
        var sample = ConvolutionCase.Random(problem, new Random(12), bias: true);
        var expected = (sample.InFloat(), sample.InDouble());
        foreach (var layout in Enum.GetValues<Layout>())
        {
            foreach (var algorithm in (ConvolutionAlgorithm[])[ConvolutionAlgorithm.ImplicitGemm, ConvolutionAlgorithm.Columns, ConvolutionAlgorithm.Pointwise, ConvolutionAlgorithm.Direct])
            {
                if (Enum.GetValues<ConvolutionPass>().All(pass => ConvolutionPlan.Supports(algorithm, problem, pass, DType.Float32, layout, layout)))
                    Check(Forced(algorithm, () => Run(sample, layout)), expected);
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
                var plain = Run(sample, layout).Y;
                var high = activation == ActivationKind.Relu6 ? 6 : float.PositiveInfinity;
                Assert.That(Run(sample, layout, activation: activation).Y, Is.EqualTo(plain.Select(v => Math.Clamp(v, 0, high))), $"{problem} {layout}");
            }
        }
    }

    [TestCaseSource(typeof(NativeConvolutionShapes), nameof(NativeConvolutionShapes.Problems))]
    public void Every_run_gives_the_same_bits(ConvolutionProblem problem)
    {
        var sample = ConvolutionCase.Random(problem, new Random(15), bias: true);
        Assert.That(Run(sample, Layout.Nchw).SameBits(Run(sample, Layout.Nchw)));
    }

    [Test]
    public void NaN_stays_where_its_window_is([Values] Layout layout)
    {
        var sample = ConvolutionCase.Random(ConvolutionShapes.Problem(1, 1, 6, 6, 1, 3, 3, pad: 1), new Random(16), bias: false);
        sample.X[2 * 6 + 2] = float.NaN;
        var y = Run(sample, layout, activation: ActivationKind.Relu).Y;
        for (var i = 0; i < 36; i++) Assert.That(float.IsNaN(y[i]), Is.EqualTo(i / 6 is >= 1 and <= 3 && i % 6 is >= 1 and <= 3), $"pixel {i}");
    }

    /// <summary>Columns of many images would not fit into memory: they are made for some at a time.</summary>
    [Test]
    public void Columns_of_images_in_pieces_give_the_same([Values] Layout layout, [Values(DType.Float32, DType.BFloat16)] DType type)
    {
        // Small integers: every sum is exact, in whatever order and type.
        var problem = ConvolutionShapes.Problem(5, 3, 6, 5, 4, 3, 3, pad: 1);
        var whole = InColumns(problem, layout, type, long.MaxValue);
        Assert.That(InColumns(problem, layout, type, 2 * problem.C * problem.R * problem.S * problem.P * problem.Q * type.Size()).SameBits(whole));
    }

    private Found InColumns(ConvolutionProblem problem, Layout layout, DType type, long mostBytes)
    {
        using var scope = Device.Inference();
        var side = new Side(Device, type);
        var random = new Random(18);
        var context = ((NativeEngine)Device.Engine).Context;
        var columns = new ColumnConvolution(context, NativeGemm.For(context, type), mostBytes);
        Tensor x = Integers(problem.InputShape), w = Integers(problem.WeightShape), dy = Integers(problem.OutputShape);
        Tensor y = side.Empty(problem.OutputShape, layout), dx = side.Empty(problem.InputShape, layout), dw = side.Empty(problem.WeightShape, layout);
        using (DeviceView xView = x.OnDevice(), wView = w.OnDevice(), dyView = dy.OnDevice(), yView = y.OnDevice(), dxView = dx.OnDevice(), dwView = dw.OnDevice())
        {
            columns.Forward(problem, new(xView, layout), new(wView, layout), default, Epilogues.None, new(yView, layout));
            columns.BackwardData(problem, new(dyView, layout), new(wView, layout), new(dxView, layout));
            columns.BackwardWeight(problem, new(xView, layout), new(dyView, layout), dwView);
        }

        return new(Side.Read(y), Side.Read(dx), Side.Read(dw));

        Tensor Integers(Shape shape) => side.Of(Array.ConvertAll(new float[shape.Count], _ => (float)random.Next(-1, 2)), shape, layout);
    }

    [Test]
    public void An_algorithm_that_cannot_do_it_is_refused()
    {
        var sample = ConvolutionCase.Random(ConvolutionShapes.Problem(1, 4, 5, 5, 4, 3, 3, groups: 2), new Random(17), bias: false);
        var error = Assert.Throws<EngineNotSupportedException>(() => Forced(ConvolutionAlgorithm.Columns, () => Run(sample, Layout.Nchw)));
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
}
