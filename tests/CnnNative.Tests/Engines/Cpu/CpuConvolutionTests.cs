using CnnNative.Engines;
using CnnNative.TestKit;
using CnnNative.Tests.Functions;
using NUnit.Framework;
using static CnnNative.Tests.Engines.ConvolutionShapes;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>
/// Shapes that take each way through the CPU's convolution (pointwise, depthwise, several cuts of taps, phases of a stride,
/// padding folded back, few and many images), against the definition; the same bits on any number of threads.
/// </summary>
public sealed class CpuConvolutionTests
{
    private static IEnumerable<TestCaseData> Problems() => OfEveryEngine().Concat(OfItsOwn());

    private static IEnumerable<TestCaseData> OfItsOwn()
    {
        yield return Case("LeNet-5, first, five images", Problem(5, 1, 28, 28, 6, 5, 5, pad: 2));
        yield return Case("LeNet-5, second, five images", Problem(5, 6, 14, 14, 16, 5, 5));
        yield return Case("several cuts of taps", Problem(1, 90, 9, 9, 17, 3, 3, pad: 1));
        yield return Case("many filters, one image", Problem(1, 16, 24, 24, 130, 3, 3, pad: 1));
        yield return Case("pointwise", Problem(2, 70, 7, 11, 19, 1, 1));
        yield return Case("depthwise", Problem(2, 6, 56, 56, 6, 3, 3, pad: 1, groups: 6));
        yield return Case("depthwise, long rows", Problem(1, 3, 3, 443, 3, 3, 3, pad: 1, groups: 3));
        yield return Case("depthwise, short rows", Problem(2, 5, 9, 5, 5, 3, 3, pad: 1, groups: 5));
        yield return Case("tiles", Problem(2, 16, 16, 16, 32, 3, 3, pad: 1));
        yield return Case("tiles of a small image", Problem(16, 33, 7, 5, 17, 3, 3, pad: 1));
        yield return Case("tiles over every edge", Problem(2, 19, 13, 18, 35, 3, 3) with { PadTop = 2, PadLeft = 1, PadRight = 2 });
        yield return Case("tiles without padding", Problem(1, 20, 30, 25, 49, 3, 3));
        yield return Case("tiles for one direction only", Problem(1, 16, 23, 24, 16, 3, 3, pad: 4));
        foreach (var mode in PixelModes) yield return Case($"{mode} in tiles", Problem(3, 18, 14, 11, 16, 3, 3, pad: 2) with { PaddingMode = mode });
    }

    [TestCaseSource(nameof(Problems))]
    public void AgreesWithTheDefinition(ConvolutionProblem problem)
    {
        var sample = ConvolutionCase.Random(problem, new Random(11), bias: true);
        var (naive, exact) = (sample.InFloat(), sample.InDouble());
        foreach (var threads in (int[])[1, 3])
        {
            var found = Run(sample, threads, ActivationKind.Identity);
            Agreement.Check(found.Y, exact.Y, naive.Y, "y");
            Agreement.Check(found.Dx, exact.Dx, naive.Dx, "dx");
            Agreement.Check(found.Dw, exact.Dw, naive.Dw, "dw");
            Agreement.Check(found.Db, exact.Db!, naive.Db!, "db");
        }
    }

    [TestCaseSource(nameof(Problems))]
    public void AnyNumberOfThreadsGivesTheSameBits(ConvolutionProblem problem)
    {
        var sample = ConvolutionCase.Random(problem with { N = Math.Min(problem.N * 20, 40) }, new Random(12), bias: true);
        var alone = Run(sample, 1, ActivationKind.Relu);
        foreach (var threads in (int[])[2, 5])
        {
            var found = Run(sample, threads, ActivationKind.Relu);
            Assert.That(found.Y, Is.EqualTo(alone.Y), $"y, {threads} threads");
            Assert.That(found.Dx, Is.EqualTo(alone.Dx), $"dx, {threads} threads");
            Assert.That(found.Dw, Is.EqualTo(alone.Dw), $"dw, {threads} threads");
            Assert.That(found.Db, Is.EqualTo(alone.Db), $"db, {threads} threads");
        }
    }

    [Test]
    public void ActivationIsThatOfTheActivationFamily([Values] ActivationKind activation, [Values(1, 3)] int filter)
    {
        var sample = ConvolutionCase.Random(Problem(2, 5, 9, 11, 7, filter, filter), new Random(13), bias: true);
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var plain = Tensor.From(Run(sample, 2, ActivationKind.Identity).Y, sample.Problem.OutputShape, device);
        device.Engine.Activation.Forward(activation, plain, plain);
        Assert.That(Run(sample, 2, activation).Y, Is.EqualTo(plain.ToArray<float>()).Within(1e-6f));
    }

    [Test]
    public void ChannelsLastGivesTheSameBits()
    {
        var sample = ConvolutionCase.Random(Problem(2, 5, 9, 11, 7, 3, 3, pad: 1, stride: 2), new Random(14), bias: true);
        var (first, last) = (Run(sample, 2, ActivationKind.Identity), Run(sample, 2, ActivationKind.Identity, Layout.Nhwc));
        Assert.That(last, Is.EqualTo(first).Using<Found>((a, b) =>
            a.Y.SequenceEqual(b.Y) && a.Dx.SequenceEqual(b.Dx) && a.Dw.SequenceEqual(b.Dw) && a.Db.SequenceEqual(b.Db)));
    }

    [Test]
    public void NaNStaysWhereItsWindowIs()
    {
        var problem = Problem(1, 1, 6, 6, 1, 3, 3, pad: 1);
        var sample = ConvolutionCase.Random(problem, new Random(15), bias: false);
        sample.X[2 * 6 + 2] = float.NaN;
        var y = Run(sample, 1, ActivationKind.Relu).Y;
        for (var i = 0; i < 36; i++) Assert.That(float.IsNaN(y[i]), Is.EqualTo(i / 6 is >= 1 and <= 3 && i % 6 is >= 1 and <= 3), $"pixel {i}");
    }

    private static Found Run(ConvolutionCase sample, int threads, ActivationKind activation, Layout layout = Layout.Nchw)
    {
        var problem = sample.Problem;
        using var device = new CpuDevice(threads);
        using var scope = device.Inference();
        var convolution = device.Engine.Convolution;
        var (x, w, dy) = (From(sample.X, problem.InputShape), From(sample.W, problem.WeightShape), From(sample.Dy, problem.OutputShape));
        var (y, dx, dw) = (Unset(problem.OutputShape), Unset(problem.InputShape), Unset(problem.WeightShape));
        var db = Tensor.Full([problem.K], float.NaN, device);
        convolution.Forward(problem, x, w, sample.B is null ? null : Tensor.From(sample.B, [problem.K], device), activation, y);
        convolution.BackwardData(problem, dy, w, dx);
        convolution.BackwardWeight(problem, x, dy, dw);
        convolution.BackwardBias(dy, db);
        return new(y.ToArray<float>(), dx.ToArray<float>(), dw.ToArray<float>(), db.ToArray<float>());

        Tensor From(float[] numbers, Shape shape) => Tensor.From(numbers, shape, device).ToLayout(layout);
        Tensor Unset(Shape shape) => Tensor.Full(shape, float.NaN, device).ToLayout(layout);
    }

    private sealed record Found(float[] Y, float[] Dx, float[] Dw, float[] Db);
}
