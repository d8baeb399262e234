using CnnNative.Engines;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Every result is the same, bit for bit, on one thread and on several.</summary>
public sealed class ThreadIndependenceTests
{
    private static readonly RandomStream Stream = new(7, 3);

    private static IEnumerable<TestCaseData> Operations()
    {
        Shape image = [13, 17, 29, 31];
        yield return Case("sum", [443, 997], (e, x, y) => e.Elementwise.Sum(x, Part(y, Shape.Scalar)));
        yield return Case("tanh", [7, 10007], (e, x, y) => e.Activation.Forward(ActivationKind.Tanh, x, y));
        yield return Case("uniform", [443, 997], (e, _, y) => e.Random.Uniform(y, -1f, 1f, Stream));
        yield return Case("normal", [443, 997], (e, _, y) => e.Random.Normal(y, 0f, 1f, Stream));
        yield return Case("dropout", [443, 997], (e, x, y) => e.Dropout.Apply(x, 0.3f, 1, Stream, y));
        yield return Case("dropout of channels", image, (e, x, y) => e.Dropout.Apply(x, 0.3f, 29 * 31, Stream, y));
        yield return Case("softmax", [443, 997], (e, x, y) => e.Activation.SoftmaxForward(x, 1, false, y));
        yield return Case("log-softmax of columns", image, (e, x, y) => e.Activation.SoftmaxForward(x, 1, true, y));
        yield return Case("max pooling", image, (e, x, y) => e.Pooling.MaxForward(Pooling(image), x, Part(y, Pooling(image).OutputShape), null));
        yield return Case("average pooling", image, (e, x, y) => e.Pooling.AverageForward(Pooling(image), x, Part(y, Pooling(image).OutputShape)));
        yield return Case("batch normalisation", image, BatchNorm);
        yield return Case("batch normalisation of a matrix", [997, 443], BatchNorm);
        yield return Case("cross-entropy", [443, 97], CrossEntropy);
        yield return Case("cross-entropy of pixels", image, CrossEntropy);

        static TestCaseData Case(string name, Shape shape, Action<Engine, Tensor, Tensor> operation) =>
            new TestCaseData(shape, operation).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Operations))]
    public void OneThreadAndSeveralAgree(Shape shape, Action<Engine, Tensor, Tensor> operation)
    {
        var alone = Run(1, shape, operation);
        foreach (var threads in (int[])[2, 3, 5]) Assert.That(Run(threads, shape, operation), Is.EqualTo(alone), $"{threads} threads");
    }

    /// <summary>The bits of the output, which starts as zeros.</summary>
    private static int[] Run(int threads, Shape shape, Action<Engine, Tensor, Tensor> operation)
    {
        using var device = new CpuDevice(threads);
        using var scope = device.Inference();
        var (x, y) = (Tensor.Empty(shape, DType.Float32, device), Tensor.Zeros(shape, device));
        device.Engine.Random.Normal(x, 1f, 2f, new RandomStream(1, 1));
        operation(device.Engine, x, y);
        return Array.ConvertAll(y.ToArray<float>(), BitConverter.SingleToInt32Bits);
    }

    private static void BatchNorm(Engine engine, Tensor x, Tensor y)
    {
        Shape channels = [x.Shape[1]];
        var (mean, inverse, dgamma, dbeta) = (Empty(channels), Empty(channels), Empty(channels), Empty(channels));
        var dx = Empty(x.Shape);
        engine.Normalization.BatchForward(x, null, null, 1e-5f, y, mean, inverse);
        engine.Normalization.BatchBackward(x, y, mean, mean, inverse, true, dx, dgamma, dbeta);
        engine.Elementwise.Add(y, dx, y);
        foreach (var part in (Tensor[])[mean, inverse, dgamma, dbeta]) engine.Elementwise.Add(Part(y, channels), part, Part(y, channels));

        Tensor Empty(Shape shape) => Tensor.Empty(shape, DType.Float32, x.Device);
    }

    private static void CrossEntropy(Engine engine, Tensor x, Tensor y)
    {
        Shape shape = [x.Shape[0], .. x.Shape.Sizes[2..]];
        var labels = Tensor.From<long>([.. Enumerable.Range(0, (int)shape.Count).Select(i => (long)i % x.Shape[1])], shape, x.Device);
        var loss = Tensor.Empty(Shape.Scalar, DType.Float32, x.Device);
        var settings = new CrossEntropySettings(Reduction.Mean, 0.1f, 3);
        var divisor = Tensor.Empty(Shape.Scalar, DType.Float32, x.Device);
        engine.Loss.CrossEntropyForward(x, labels, null, settings, y, loss, divisor);
        engine.Loss.CrossEntropyBackward(y, labels, null, settings, divisor, loss, y);
        engine.Elementwise.Add(Part(y, Shape.Scalar), loss, Part(y, Shape.Scalar));
    }

    private static Tensor Part(Tensor y, Shape shape) => y.View(shape, 0);

    private static PoolingProblem Pooling(Shape x) => new()
    {
        N = x[0], C = x[1], H = x[2], W = x[3], R = 3, S = 3, PadH = 1, PadW = 1, StrideH = 2, StrideW = 2, DilationH = 1, DilationW = 1,
    };
}
