using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>The cross-entropy and its gradient against PyTorch's float64.</summary>
[EngineFixtures]
public sealed class CrossEntropyGoldenTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static IEnumerable<TestCaseData> Cases => Golden.Cases("loss");

    private static IEnumerable<TestCaseData> Images => Cases.Where(data => ((GoldenCase)data.Arguments[0]!)["x"].Shape.Rank == 4);

    [TestCaseSource(nameof(Cases))]
    public void Nchw(GoldenCase golden) => Check(golden, Layout.Nchw);

    [TestCaseSource(nameof(Images))]
    public void Nhwc(GoldenCase golden) => Check(golden, Layout.Nhwc);

    private void Check(GoldenCase golden, Layout layout)
    {
        using var scope = Device.Step();
        var x = golden.Tensor("x", Device, layout, requiresGrad: true);
        var labels = Tensor.From(golden["labels"].Longs, golden["labels"].Shape, Device);
        var weight = golden.Has("w") ? golden.Tensor("w", Device) : null;
        var (smoothing, ignored, mean) = (golden.Float("smoothing"), golden.Int("ignore_index"), golden.Text("reduction") == "mean");
        var loss = Functional.CrossEntropy(x, labels, weight, mean ? Reduction.Mean : Reduction.Sum, smoothing, ignored);
        Assert.That(loss.Rank, Is.Zero, "the loss is a scalar");
        loss.Backward(golden.Tensor("dy", Device));

        var naive = NaiveCrossEntropy.Run(
            golden["x"].Floats, golden["labels"].Longs, weight is null ? null : golden["w"].Floats, smoothing, ignored, mean,
            golden["dy"].Floats[0], x.Shape[1], (int)x.Shape.CountFrom(2));
        Agreement.Check(loss.ToArray<float>(), golden["y"].Values, [naive.Loss], "loss");
        Agreement.Check(x.Grad!.ToArray<float>(), golden["dx"].Values, naive.Gradient, "dx");
    }
}
