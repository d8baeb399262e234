using CnnNative.Engines;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>The losses on the device against the CPU's: every way of walking over lines, many labels, weights.</summary>
public sealed class NativeLossTests : NativeTests
{
    private static IEnumerable<TestCaseData> Problems()
    {
        Shape[] shapes = [[443, 10], [7, 256], [5, 300], [2, 5, 9, 11], [1, 3, 70, 70], [5000, 3], [3, 2049], [2, 50257], [1, 60003], [2, 40, 9, 5], [1, 500, 5, 7]];
        foreach (var shape in shapes)
        {
            foreach (var type in Types) yield return new TestCaseData(type, shape, Layout.Nchw);
            if (shape.Rank == 4) yield return new TestCaseData(DType.Float32, shape, Layout.Nhwc);
        }
    }

    [TestCaseSource(nameof(Problems))]
    public void CrossEntropyAgreesWithTheCpu(DType type, Shape shape, Layout layout)
    {
        var (classes, lines) = (shape[1], (int)(shape.Count / shape[1]));
        var random = new Random(4);
        var labels = Array.ConvertAll(new long[lines], _ => random.Next(5) == 0 ? -100L : random.Next(classes));
        Shape labelShape = [shape[0], .. shape.Sizes[2..]];
        foreach (var (reduction, smoothing, weighted) in ((Reduction, float, bool)[])[(Reduction.Mean, 0f, false), (Reduction.Sum, 0.1f, false), (Reduction.Mean, 0.2f, true)])
        {
            var settings = new CrossEntropySettings(reduction, smoothing, -100);
            Compare(type, 10, side =>
            {
                var engine = side.Device.Engine.Loss;
                var weights = weighted ? side.Float(Random(classes, 3, 0.5f, 2f)) : null;
                Tensor targets = side.Labels(labels, labelShape), loss = side.Empty(Shape.Scalar);
                Tensor divisor = side.EmptyFloat(1), p = side.Empty(shape, layout), dx = side.Empty(shape, layout);
                engine.CrossEntropyForward(side.Of(Random(shape.Count, 1, -4f, 4f), shape, layout), targets, weights, settings, p, loss, divisor);
                // The gradient takes its probabilities from one place, so that its own error is measured.
                var given = side.Of(Random(shape.Count, 2, 0f, 1f), shape, layout);
                engine.CrossEntropyBackward(given, targets, weights, settings, divisor, side.Of([1.5f], Shape.Scalar), dx);
                return [p, loss, divisor, dx];
            });
        }
    }

    [Test]
    public void TopHitsAreCounted([Values(1, 10, 33, 1000)] int classes, [ValueSource(nameof(Types))] DType type)
    {
        const int rows = 37;
        var random = new Random(classes);
        // Few values, so that many are equal; some rows have a NaN, some their largest score at the label.
        var scores = Array.ConvertAll(new float[rows * classes], _ => (float)random.Next(4));
        var labels = Array.ConvertAll(new long[rows], _ => (long)random.Next(classes));
        for (var row = 0; row < rows; row++)
        {
            if (row % 5 == 0) scores[row * classes + random.Next(classes)] = float.NaN;
            if (row % 3 == 0) scores[row * classes + labels[row]] = 4f;
        }

        var counts = new List<long>();
        foreach (var device in (Device[])[Device, new CpuDevice(1)])
        {
            using var scope = device.Inference();
            var side = new Side(device, type);
            var hits = Tensor.Empty(Shape.Scalar, DType.Int64, device);
            device.Engine.Loss.CountHits(side.Of(scores, [rows, classes]), side.Labels(labels, [rows]), hits);
            counts.Add(hits.ToArray<long>()[0]);
            if (device is CpuDevice) device.Dispose();
        }

        Assert.That(counts[0], Is.EqualTo(counts[1]));
        Assert.That(counts[0], Is.GreaterThan(0), "the test has hits");
    }
}
