using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>ReLU, softmax and log-softmax and their gradients against PyTorch's float64.</summary>
[EngineFixtures]
public sealed class ActivationGoldenTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static IEnumerable<TestCaseData> Cases => Golden.Cases("activation");

    private static IEnumerable<TestCaseData> Images => Cases.Where(data => ((GoldenCase)data.Arguments[0]!)["x"].Shape.Rank == 4);

    [TestCaseSource(nameof(Cases))]
    public void Nchw(GoldenCase golden) => Check(golden, Layout.Nchw);

    [TestCaseSource(nameof(Images))]
    public void Nhwc(GoldenCase golden) => Check(golden, Layout.Nhwc);

    private void Check(GoldenCase golden, Layout layout)
    {
        using var scope = Device.Step();
        var x = golden.Tensor("x", Device, layout, requiresGrad: true);
        var kind = golden.Text("kind");
        var y = kind switch
        {
            "relu" => Functional.Relu(x),
            "softmax" => Functional.Softmax(x, golden.Int("axis")),
            _ => Functional.LogSoftmax(x, golden.Int("axis")),
        };
        y.Backward(golden.Tensor("dy", Device, layout));
        var (ys, dxs) = (y.ToArray<float>(), x.Grad!.ToArray<float>());
        if (kind == "relu")
        {
            Agreement.CheckExact(ys, golden["y"].Values, "y");
            Agreement.CheckExact(dxs, golden["dx"].Values, "dx");
            return;
        }

        var (size, inner, logarithm) = (x.Shape[golden.Int("axis")], (int)x.Shape.CountFrom(x.Shape.Axis(golden.Int("axis")) + 1), kind == "log_softmax");
        var naive = NaiveSoftmax.Forward(golden["x"].Floats, size, inner, logarithm);
        Agreement.Check(ys, golden["y"].Values, naive, "y");
        Agreement.Check(dxs, golden["dx"].Values, NaiveSoftmax.Backward(naive, golden["dy"].Floats, size, inner, logarithm), "dx");
    }
}
