using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Pooling and its gradients against PyTorch's float64; a maximum is one of its inputs, exactly.</summary>
[EngineFixtures]
public sealed class PoolingGoldenTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static IEnumerable<TestCaseData> Cases => Golden.Cases("pooling");

    [TestCaseSource(nameof(Cases))]
    public void Nchw(GoldenCase golden) => Check(golden, Layout.Nchw);

    [TestCaseSource(nameof(Cases))]
    public void Nhwc(GoldenCase golden) => Check(golden, Layout.Nhwc);

    private void Check(GoldenCase golden, Layout layout)
    {
        var pooling = PoolingCase.Of(golden);
        Assert.That(pooling.Problem.OutputShape, Is.EqualTo(golden["y"].Shape), "shape of y");
        var (y, dx) = pooling.On(Device, layout);
        var naive = pooling.InFloat();
        if (pooling.Maximum) Agreement.CheckExact(y, golden["y"].Values, "y");
        else Agreement.Check(y, golden["y"].Values, naive.Y, "y");
        Agreement.Check(dx, golden["dx"].Values, naive.Dx, "dx");
    }
}
