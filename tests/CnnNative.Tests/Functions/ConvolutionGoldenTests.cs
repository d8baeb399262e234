using System.Collections.Concurrent;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Convolution and its gradients against PyTorch's float64.</summary>
[EngineFixtures]
public sealed class ConvolutionGoldenTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static readonly ConcurrentDictionary<string, ConvolutionResult<float>> NaiveResults = new();

    private const string NotFinite = "nan_and_infinity";

    private static IEnumerable<TestCaseData> Cases => Golden.Cases("convolution").Where(data => ((GoldenCase)data.Arguments[0]!).Name != NotFinite);

    [TestCaseSource(nameof(Cases))]
    public void Nchw(GoldenCase golden) => Check(golden, Layout.Nchw);

    [TestCaseSource(nameof(Cases))]
    public void Nhwc(GoldenCase golden) => Check(golden, Layout.Nhwc);

    /// <summary>NaN and infinities reach the outputs whose windows see them, and no others.</summary>
    [Test]
    public void NaNAndInfinitySpreadNoFurtherThanTheirWindows([Values] Layout layout)
    {
        var golden = Golden.Read("convolution").Single(golden => golden.Name == NotFinite);
        var (actual, naive) = (ConvolutionCase.Of(golden).On(Device, layout), ConvolutionCase.Of(golden).InFloat());
        Agreement.Check(actual.Y, golden["y"].Values, naive.Y, "y");
        Agreement.Check(actual.Dx, golden["dx"].Values, naive.Dx, "dx");
        // An infinity of x times a zero beyond the edge of dy may turn the filter's gradient into NaN.
        Assert.That(actual.Dw.Select(float.IsFinite), Is.EqualTo(golden["dw"].Values.Select(double.IsFinite)), "dw");
    }

    private void Check(GoldenCase golden, Layout layout)
    {
        var convolution = ConvolutionCase.Of(golden);
        var naive = NaiveResults.GetOrAdd(golden.Name, _ => convolution.InFloat());
        var reference = new ConvolutionResult<double>(
            golden["y"].Values, golden["dx"].Values, golden["dw"].Values, golden.Has("db") ? golden["db"].Values : null);
        convolution.Check(convolution.On(Device, layout), reference, naive);
    }
}
