using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Cross-entropy over shapes with tails, layouts, weights, smoothing and ignored labels; and its refusals.</summary>
public sealed class CpuLossTests
{
    private const int Ignored = -100;

    [Test, Combinatorial]
    public void CrossEntropyAgreesWithDefinition(
        [Values("2,10", "1,1", "443,17", "0,5", "3,5,1,1", "2,7,3,5", "2,19,5,13", "64,1000")] string sizes,
        [Values] bool weighted, [Values(0f, 0.1f)] float smoothing, [Values] bool mean, [Values] Layout layout)
    {
        int[] shape = [.. sizes.Split(',').Select(int.Parse)];
        if (shape.Length != 4 && layout == Layout.Nhwc) return;
        var (c, l) = (shape[1], (int)new Shape(shape).CountFrom(2));
        var random = new Random(1);
        var x = Array.ConvertAll(new float[new Shape(shape).Count], _ => 20 * random.NextSingle() - 10);
        var labels = Array.ConvertAll(new long[shape[0] * l], _ => random.Next(5) == 0 ? Ignored : (long)random.Next(c));
        var weights = weighted ? Array.ConvertAll(new float[c], _ => random.NextSingle() + 0.5f) : null;
        const float dloss = 0.7f;

        var reference = NaiveCrossEntropy.Run(Cast.Double(x), labels, weights is null ? null : Cast.Double(weights), (double)smoothing, Ignored, mean, dloss, c, l);
        var naive = NaiveCrossEntropy.Run(x, labels, weights, smoothing, Ignored, mean, dloss, c, l);

        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var logits = Tensor.From(x, new Shape(shape), device);
        if (shape.Length == 4) logits = logits.ToLayout(layout);
        Shape labelShape = [shape[0], .. shape[2..]];
        var (targets, scale) = (Tensor.From(labels, labelShape, device), weights is null ? null : Tensor.From(weights, [c], device));
        var (probabilities, gradient) = (Tensor.Empty(logits.Shape, DType.Float32, device, logits.Layout), Tensor.Empty(logits.Shape, DType.Float32, device, logits.Layout));
        var (loss, divisor) = (Tensor.Empty(Shape.Scalar, DType.Float32, device), Tensor.Empty(Shape.Scalar, DType.Float32, device));
        var settings = new CrossEntropySettings(mean ? Reduction.Mean : Reduction.Sum, smoothing, Ignored);
        device.Engine.Loss.CrossEntropyForward(logits, targets, scale, settings, probabilities, loss, divisor);
        device.Engine.Loss.CrossEntropyBackward(probabilities, targets, scale, settings, divisor, Tensor.Full(Shape.Scalar, dloss, device), gradient);

        Agreement.Check([loss.Item()], [reference.Loss], [naive.Loss], "loss");
        Agreement.Check(gradient.ToArray<float>(), reference.Gradient, naive.Gradient, "gradient");
    }

    [TestCase(5)]
    [TestCase(-1)]
    [TestCase(long.MinValue)]
    public void LabelOutOfRange(long label)
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var (logits, loss) = (Tensor.Zeros([3, 5], device), Tensor.Zeros(Shape.Scalar, device));
        var labels = Tensor.From([0L, Ignored, label], [3], device);
        var settings = new CrossEntropySettings(Reduction.Mean, 0f, Ignored);
        var thrown = Assert.Throws<ArgumentOutOfRangeException>(() => device.Engine.Loss.CrossEntropyForward(logits, labels, null, settings, logits, loss, loss));
        Assert.That(thrown!.Message, Does.Contain($"label {label} at position 2").And.Contain("5 classes"));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Engine.Loss.CrossEntropyBackward(logits, labels, null, settings, loss, loss, logits));
    }

    [Test]
    public void HitsTakeTheFirstOfEqualsAndNaNAsLargest()
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var scores = Tensor.From([1f, 3f, 3f, float.NaN, 9f, 9f, 0f, -1f, float.NegativeInfinity, 2f, float.NaN, float.NaN], [4, 3], device);
        var hits = Tensor.Empty(Shape.Scalar, DType.Int64, device);
        foreach (var (labels, expected) in (( long[], long)[])[([1, 0, 0, 1], 4), ([2, 1, 1, 2], 0)])
        {
            device.Engine.Loss.CountHits(scores, Tensor.From(labels, [4], device), hits);
            Assert.That(hits.ToArray<long>()[0], Is.EqualTo(expected));
        }
    }
}
