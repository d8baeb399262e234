using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Variances that short ways to them get wrong: behind an outlier, and far below eps.</summary>
[EngineFixtures]
public sealed class BatchNormStatisticsTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static IEnumerable<TestCaseData> Problems() =>
        from shape in (Shape[])[[64, 1, 64, 64], [16, 8, 7, 7], [3, 8, 8, 8], [443, 5]]
        from layout in shape.Rank == 4 ? Enum.GetValues<Layout>() : [Layout.Nchw]
        select new TestCaseData(shape, layout);

    /// <summary>What sums are counted from must not cost digits when it lies far from all others.</summary>
    [TestCaseSource(nameof(Problems))]
    public void AnOutlierThatComesFirstCostsNoDigits(Shape shape, Layout layout)
    {
        var random = new Random(1);
        var x = Array.ConvertAll(new float[shape.Count], _ => random.NextSingle() * 2 - 1);
        for (var c = 0; c < shape[1]; c++) x[c * shape.CountFrom(2)] = 1000f;
        AssertVariance(x, shape, layout, relative: 1e-6);
    }

    /// <summary>Deviations of a thousandth of sqrt(eps), whose variance cannot be found again in 1 / sqrt(variance + eps).</summary>
    [TestCaseSource(nameof(Problems))]
    public void AVarianceFarBelowEpsIsKept(Shape shape, Layout layout)
    {
        var random = new Random(2);
        AssertVariance(Array.ConvertAll(new float[shape.Count], _ => 1e-5f * random.NextSingle()), shape, layout, relative: 1e-6);
    }

    /// <summary>With a momentum of 1 the running variance is that of the batch, divided by M - 1.</summary>
    private void AssertVariance(float[] x, Shape shape, Layout layout, double relative)
    {
        using var scope = Device.Inference();
        var (n, c, l) = (shape[0], shape[1], (int)shape.CountFrom(2));
        Tensor input = Tensor.From(x, shape, Device).ToLayout(layout), y = Tensor.Empty(shape, DType.Float32, Device, layout);
        Tensor mean = Tensor.Zeros([c], Device), inverse = Tensor.Zeros([c], Device);
        Tensor runningMean = Tensor.Zeros([c], Device), runningVariance = Tensor.Zeros([c], Device);
        Device.Engine.Normalization.BatchForward(
            input, null, null, 1e-5f, y, mean, inverse, running: new RunningStatistics(runningMean, runningVariance, Momentum: 1f));
        var (found, (_, expected)) = (runningVariance.ToArray<float>(), NaiveBatchNorm.Statistics(Cast.Double(x), n, c, l));
        for (var k = 0; k < c; k++)
        {
            var unbiased = expected[k] * (n * l) / (n * l - 1);
            Assert.That(Math.Abs(found[k] - unbiased), Is.LessThan(relative * unbiased), $"variance of channel {k}: {found[k]}, expected {unbiased}");
        }

        Assert.That(runningMean.ToArray<float>(), Is.EqualTo(mean.ToArray<float>()));
    }
}
