using CnnNative.TestKit;
using CnnNative.Tests.Functions;
using NUnit.Framework;

namespace CnnNative.Tests.TestKit;

/// <summary>The other naive computations in double are PyTorch's.</summary>
public sealed class NaiveReferenceTests
{
    private static IEnumerable<TestCaseData> Poolings => Golden.Cases("pooling");

    private static IEnumerable<TestCaseData> AdaptivePoolings => Golden.Cases("adaptive_pooling");

    private static IEnumerable<TestCaseData> Softmaxes => Golden.Cases("activation").Where(data => ((GoldenCase)data.Arguments[0]!).Text("kind") != "relu");

    private static IEnumerable<TestCaseData> Losses => Golden.Cases("loss");

    private static IEnumerable<TestCaseData> Dense => Golden.Cases("dense");

    [TestCaseSource(nameof(Poolings))]
    public void Pooling(GoldenCase golden)
    {
        var (y, dx) = PoolingCase.Of(golden).InDouble();
        NaiveReference.Check(y, golden["y"], "y");
        NaiveReference.Check(dx, golden["dx"], "dx");
    }

    [TestCaseSource(nameof(AdaptivePoolings))]
    public void AdaptivePooling(GoldenCase golden)
    {
        var (y, dx) = AdaptivePoolingCase.Of(golden).InDouble();
        NaiveReference.Check(y, golden["y"], "y");
        NaiveReference.Check(dx, golden["dx"], "dx");
    }

    [TestCaseSource(nameof(Softmaxes))]
    public void Softmax(GoldenCase golden)
    {
        var shape = golden["x"].Shape;
        var (axis, logarithm) = (shape.Axis(golden.Int("axis")), golden.Text("kind") == "log_softmax");
        var y = NaiveSoftmax.Forward(golden["x"].Values, shape[axis], (int)shape.CountFrom(axis + 1), logarithm);
        NaiveReference.Check(y, golden["y"], "y");
        NaiveReference.Check(NaiveSoftmax.Backward(y, golden["dy"].Values, shape[axis], (int)shape.CountFrom(axis + 1), logarithm), golden["dx"], "dx");
    }

    [TestCaseSource(nameof(Losses))]
    public void CrossEntropy(GoldenCase golden)
    {
        var shape = golden["x"].Shape;
        var (loss, gradient) = NaiveCrossEntropy.Run(
            golden["x"].Values, golden["labels"].Longs, golden.Has("w") ? golden["w"].Values : null, golden.Double("smoothing"),
            golden.Int("ignore_index"), golden.Text("reduction") == "mean", golden["dy"].Values[0], shape[1], (int)shape.CountFrom(2));
        NaiveReference.Check([loss], golden["y"], "loss");
        NaiveReference.Check(gradient, golden["dx"], "dx");
    }

    [TestCaseSource(nameof(Dense))]
    public void Linear(GoldenCase golden)
    {
        var (inputs, outputs) = (golden["w"].Shape[1], golden["w"].Shape[0]);
        var rows = (int)(golden["y"].Shape.Count / outputs);
        var y = NaiveMatrix.Multiply(golden["x"].Values, false, golden["w"].Values, true, rows, outputs, inputs);
        if (golden.Has("b")) y = [.. y.Select((value, i) => value + golden["b"].Values[i % outputs])];
        NaiveReference.Check(y, golden["y"], "y");
        NaiveReference.Check(NaiveMatrix.Multiply(golden["dy"].Values, true, golden["x"].Values, false, outputs, inputs, rows), golden["dw"], "dw");
    }
}
