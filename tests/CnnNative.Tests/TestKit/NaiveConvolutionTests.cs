using CnnNative.TestKit;
using CnnNative.Tests.Functions;
using NUnit.Framework;

namespace CnnNative.Tests.TestKit;

/// <summary>The naive convolution in double is PyTorch's, so that it may serve as a reference where there are no golden numbers.</summary>
public sealed class NaiveConvolutionTests
{
    private static IEnumerable<TestCaseData> Cases => Golden.Cases("convolution");

    [TestCaseSource(nameof(Cases))]
    public void AgreesWithGolden(GoldenCase golden)
    {
        var result = ConvolutionCase.Of(golden).InDouble();
        NaiveReference.Check(result.Y, golden["y"], "y");
        NaiveReference.Check(result.Dx, golden["dx"], "dx");
        NaiveReference.Check(result.Dw, golden["dw"], "dw");
        if (result.Db is not null) NaiveReference.Check(result.Db, golden["db"], "db");
    }
}
