using CnnNative.TestKit;
using CnnNative.Tests.Functions;
using NUnit.Framework;

namespace CnnNative.Tests.TestKit;

/// <summary>The naive batch normalisation in double is PyTorch's.</summary>
public sealed class NaiveBatchNormTests
{
    private static IEnumerable<TestCaseData> Cases => Golden.Cases("normalization");

    [TestCaseSource(nameof(Cases))]
    public void AgreesWithGolden(GoldenCase golden)
    {
        var (y, dx, dgamma, dbeta, mean, variance) = BatchNormReference.Run<double>(golden);
        // Settings such as eps are float32 here and float64 there.
        Near(y, golden["y"].Values, "y");
        Near(dx, golden["dx"].Values, "dx");
        if (golden.Bool("affine"))
        {
            Near(dgamma, golden["dgamma"].Values, "dgamma");
            Near(dbeta, golden["dbeta"].Values, "dbeta");
        }

        if (!golden.Bool("track")) return;
        Near(mean, golden["new_running_mean"].Values, "running mean");
        Near(variance, golden["new_running_var"].Values, "running variance");
    }

    private static void Near(double[] actual, double[] expected, string what) =>
        Assert.That(actual, Is.EqualTo(expected).Within(1e-7 * expected.Select(Math.Abs).DefaultIfEmpty(0).Max()), what);
}
