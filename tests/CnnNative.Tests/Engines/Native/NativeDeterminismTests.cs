using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>The same bits in every order of blocks and warps: every family that adds up more than a thread sees. A GPU takes orders of its own.</summary>
public sealed class NativeDeterminismTests : NativeTests
{
    private static readonly int[] Seeds = [1, 12345];

    private static readonly Dictionary<string, Func<Side, Tensor[]>> Families = new()
    {
        ["product"] = side =>
        {
            var c = side.Empty([40, 24]);
            side.Device.Engine.Matrix.Multiply(Input(side, [40, 1200], 1), false, Input(side, [1200, 24], 2), false, c);
            return [c];
        },
        ["linear"] = side =>
        {
            Tensor dy = Input(side, [700, 12], 1), y = side.Empty([700, 9]), db = side.Empty([12]);
            side.Device.Engine.Matrix.LinearForward(dy, Input(side, [9, 12], 2), null, ActivationKind.Relu, y);
            side.Device.Engine.Matrix.SumRows(dy, db);
            return [y, db];
        },
        ["convolution"] = side => Convolution(side, groups: 1),
        ["depthwise convolution"] = side => Convolution(side, groups: 8),
        ["batch normalisation in one block"] = side => BatchNorm(side, [9, 8, 6, 6]),
        ["batch normalisation in parts"] = side => BatchNorm(side, [4, 8, 64, 64]),
        ["sums"] = side =>
        {
            Tensor x = Input(side, [3, 8, 80, 80], 1), sum = side.Empty(Shape.Scalar), channels = side.Empty([8]);
            side.Device.Engine.Elementwise.Sum(x, sum);
            side.Device.Engine.Convolution.BackwardBias(x, channels);
            return [sum, channels];
        },
        ["softmax"] = side => [.. from shape in (Shape[])[[33, 70], [9, 1000], [3, 2500]] from result in Softmax(side, shape) select result],
        ["cross-entropy"] = side =>
        {
            Tensor x = Input(side, [300, 10], 1), labels = side.Labels([.. Enumerable.Range(0, 300).Select(i => i % 10L)], [300]);
            Tensor p = side.Empty(x.Shape), dx = side.Empty(x.Shape), loss = side.Empty(Shape.Scalar), divisor = side.EmptyFloat(1);
            var settings = new CrossEntropySettings(Reduction.Mean, 0.1f, 3);
            side.Device.Engine.Loss.CrossEntropyForward(x, labels, null, settings, p, loss, divisor);
            side.Device.Engine.Loss.CrossEntropyBackward(p, labels, null, settings, divisor, loss, dx);
            return [p, loss, divisor, dx];
        },
        ["pooling"] = side => [.. from window in (int[])[2, 3] from result in Pooling(side, window) select result],
        ["dropout"] = side =>
        {
            Tensor x = Input(side, [2, 8, 16, 16], 1), y = side.Empty(x.Shape);
            side.Device.Engine.Dropout.Apply(x, 0.3f, 1, new(1, 2), y);
            return [y];
        },
        ["optimizers"] = Optimizers,
    };

    private static string[] Names { get; } = [.. Families.Keys];

    [Test]
    public void EveryOrderGivesTheSameBits([ValueSource(nameof(Names))] string family, [Values(DType.Float32, DType.BFloat16)] DType type)
    {
        var expected = Run(Families[family], type);
        Assert.That(expected.SelectMany(values => values), Has.All.Matches<float>(float.IsFinite), "the test adds up numbers");
        try
        {
            foreach (var seed in Seeds)
            {
                if (Emulator.IsUsed) Emulator.Reorder(seed);
                var found = Run(Families[family], type);
                for (var i = 0; i < expected.Length; i++)
                    Assert.That(found[i].Select(BitConverter.SingleToInt32Bits), Is.EqualTo(expected[i].Select(BitConverter.SingleToInt32Bits)), $"output {i}, seed {seed}");
            }
        }
        finally
        {
            if (Emulator.IsUsed) Emulator.Reorder(0);
        }
    }

    private float[][] Run(Func<Side, Tensor[]> family, DType type)
    {
        using var scope = Device.Inference();
        return Array.ConvertAll(family(new Side(Device, type)), Side.Read);
    }

    private static Tensor Input(Side side, Shape shape, int seed, Layout layout = Layout.Nchw) => side.Of(Random(shape.Count, seed), shape, layout);

    private static Tensor[] Convolution(Side side, int groups)
    {
        var problem = new ConvolutionProblem
        {
            N = 3, C = 8, H = 20, W = 20, K = 8, R = 3, S = 3, Groups = groups, StrideH = 1, StrideW = 1, DilationH = 1, DilationW = 1,
            PadTop = 1, PadBottom = 1, PadLeft = 1, PadRight = 1,
        };
        var engine = side.Device.Engine.Convolution;
        var outputs = new List<Tensor>();
        foreach (var layout in Enum.GetValues<Layout>())
        {
            Tensor x = Input(side, problem.InputShape, 1, layout), w = Input(side, problem.WeightShape, 2), dy = Input(side, problem.OutputShape, 3, layout);
            Tensor y = side.Empty(problem.OutputShape, layout), dx = side.Empty(problem.InputShape, layout), dw = side.Empty(problem.WeightShape);
            engine.Forward(problem, x, w, null, ActivationKind.Identity, y);
            engine.BackwardData(problem, dy, w, dx);
            engine.BackwardWeight(problem, x, dy, dw);
            outputs.AddRange([y, dx, dw]);
        }

        return [.. outputs];
    }

    private static Tensor[] BatchNorm(Side side, Shape shape)
    {
        var outputs = new List<Tensor>();
        foreach (var layout in Enum.GetValues<Layout>())
        {
            Tensor x = Input(side, shape, 1, layout), dy = Input(side, shape, 2, layout), y = side.Empty(shape, layout), dx = side.Empty(shape, layout);
            Tensor mean = side.EmptyFloat(8), inverse = side.EmptyFloat(8), dgamma = side.EmptyFloat(8), dbeta = side.EmptyFloat(8);
            side.Device.Engine.Normalization.BatchForward(x, null, null, 1e-5f, y, mean, inverse);
            side.Device.Engine.Normalization.BatchBackward(x, dy, null, mean, inverse, true, dx, dgamma, dbeta);
            outputs.AddRange([y, mean, inverse, dx, dgamma, dbeta]);
        }

        return [.. outputs];
    }

    private static Tensor[] Softmax(Side side, Shape shape)
    {
        Tensor y = side.Empty(shape), dx = side.Empty(shape);
        side.Device.Engine.Activation.SoftmaxForward(Input(side, shape, 1), 1, false, y);
        side.Device.Engine.Activation.SoftmaxBackward(y, Input(side, shape, 2), 1, false, dx);
        return [y, dx];
    }

    private static Tensor[] Pooling(Side side, int window)
    {
        var problem = new PoolingProblem
        {
            N = 2, C = 8, H = 18, W = 18, R = window, S = window, StrideH = 2, StrideW = 2, PadH = window / 2, PadW = window / 2, DilationH = 1, DilationW = 1,
        };
        var engine = side.Device.Engine.Pooling;
        Tensor x = Input(side, problem.InputShape, 1), dy = Input(side, problem.OutputShape, 2);
        Tensor y = side.Empty(problem.OutputShape), average = side.Empty(problem.OutputShape), dx = side.Empty(problem.InputShape), dAverage = side.Empty(problem.InputShape);
        var places = Tensor.Empty(problem.OutputShape, problem.ArgumentType, side.Device);
        engine.MaxForward(problem, x, y, places);
        engine.MaxBackward(problem, dy, places, dx);
        engine.AverageForward(problem, x, average);
        engine.AverageBackward(problem, dy, dAverage);
        return [y, dx, average, dAverage];
    }

    /// <summary>Parameters are Float32 whatever the tensors of a network are.</summary>
    private static Tensor[] Optimizers(Side side)
    {
        const int count = 9000;
        Tensor w = side.Float(Random(count, 1)), g = side.Float(Random(count, 2)), m = side.Float(Random(count, 3)), s = side.Float(Random(count, 4, 0f, 1f));
        var norm = side.EmptyFloat(1);
        var engine = side.Device.Engine.Optimizer;
        engine.GradientNorm([g, m], NormOrder.Two, norm);
        engine.ScaleGradients([g], norm, 1f);
        engine.Sgd([new(w, g, m)], new(0.1f, 0.9f, 0f, 0f, false, false));
        engine.Adam([new(w, g, m, s)], new(0.1f, 0.9f, 0.999f, 1e-8f, 0f, 3));
        return [norm, g, w, m, s];
    }
}
