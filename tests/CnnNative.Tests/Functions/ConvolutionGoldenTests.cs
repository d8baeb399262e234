using System.Collections.Concurrent;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Convolution and its gradients against PyTorch's float64.</summary>
[EngineFixtures]
public sealed class ConvolutionGoldenTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static readonly ConcurrentDictionary<string, ConvolutionResult<float>> NaiveResults = new();

    private static IEnumerable<TestCaseData> Cases => Golden.Cases("convolution");

    [TestCaseSource(nameof(Cases))]
    public void Nchw(GoldenCase golden) => Check(golden, Layout.Nchw);

    [TestCaseSource(nameof(Cases))]
    public void Nhwc(GoldenCase golden) => Check(golden, Layout.Nhwc);

    private void Check(GoldenCase golden, Layout layout)
    {
        var convolution = ConvolutionCase.Of(golden);
        var naive = NaiveResults.GetOrAdd(golden.Name, _ => convolution.InFloat());
        var reference = new ConvolutionResult<double>(
            golden["y"].Values, golden["dx"].Values, golden["dw"].Values, golden.Has("db") ? golden["db"].Values : null);
        ConvolutionResult<float>.Check(convolution.On(Device, layout), reference, naive);
    }
}
