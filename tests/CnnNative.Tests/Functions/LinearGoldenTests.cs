using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>The fully connected layer's function and its gradients against PyTorch's float64.</summary>
[EngineFixtures]
public sealed class LinearGoldenTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static IEnumerable<TestCaseData> Cases => Golden.Cases("dense");

    [TestCaseSource(nameof(Cases))]
    public void AgreesWithGolden(GoldenCase golden)
    {
        using var scope = Device.Step();
        var (x, w) = (golden.Tensor("x", Device, requiresGrad: true), golden.Tensor("w", Device, requiresGrad: true));
        var b = golden.Has("b") ? golden.Tensor("b", Device, requiresGrad: true) : null;
        var y = Functional.Linear(x, w, b);
        Assert.That(y.Shape, Is.EqualTo(golden["y"].Shape));
        y.Backward(golden.Tensor("dy", Device));

        var (xs, ws, dys) = (golden["x"].Floats, golden["w"].Floats, golden["dy"].Floats);
        var (inputs, outputs) = (w.Shape[1], w.Shape[0]);
        var rows = (int)(y.Count / outputs);
        var naive = NaiveMatrix.Multiply(xs, false, ws, true, rows, outputs, inputs);
        if (b is not null) naive = [.. naive.Select((value, i) => value + golden["b"].Floats[i % outputs])];
        Agreement.Check(y.ToArray<float>(), golden["y"].Values, naive, "y");
        Agreement.Check(x.Grad!.ToArray<float>(), golden["dx"].Values, NaiveMatrix.Multiply(dys, false, ws, false, rows, inputs, outputs), "dx");
        Agreement.Check(w.Grad!.ToArray<float>(), golden["dw"].Values, NaiveMatrix.Multiply(dys, true, xs, false, outputs, inputs, rows), "dw");
        if (b is not null) Agreement.Check(b.Grad!.ToArray<float>(), golden["db"].Values, NaiveMatrix.SumRows(dys, outputs), "db");
    }
}
