using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>What the definition in float gets wrong: means far from zero, long sums.</summary>
public sealed class CpuNormalizationTests
{
    [TestCase(1000f, 1f)]
    [TestCase(-4096f, 0.5f)]
    [TestCase(1e6f, 8f)]
    [TestCase(0f, 1e-4f)]
    public void VarianceSurvivesALargeMean(float center, float deviation)
    {
        // Multiples of a power of two, so that x itself holds the small distances without rounding.
        var random = new Random(5);
        foreach (var shape in (Shape[])[[64, 3, 14, 14], [443, 17], [5, 2, 71, 67]])
        {
            var x = Array.ConvertAll(new float[shape.Count], _ => center + deviation * (random.Next(-64, 65) / 32f));
            AssertStatistics(x, shape, relative: 2e-6);
        }
    }

    [Test]
    public void VarianceSurvivesAnUntypicalFirstImage()
    {
        Shape shape = [32, 2, 7, 7];
        var random = new Random(6);
        var x = new float[shape.Count];
        for (var i = 2 * 49; i < x.Length; i++) x[i] = 5000f + random.Next(-64, 65) / 32f;
        AssertStatistics(x, shape, relative: 1e-5);
    }

    private static void AssertStatistics(float[] x, Shape shape, double relative)
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        int n = shape[0], c = shape[1], l = (int)shape.CountFrom(2);
        var (mean, inverse) = (Tensor.Zeros([c], device), Tensor.Zeros([c], device));
        var y = Tensor.Zeros(shape, device);
        device.Engine.Normalization.BatchForward(Tensor.From(x, shape, device), null, null, 0f, y, mean, inverse);
        var (means, variances) = NaiveBatchNorm.Statistics(Cast.Double(x), n, c, l);
        var (foundMeans, foundInverses) = (mean.ToArray<float>(), inverse.ToArray<float>());
        for (var k = 0; k < c; k++)
        {
            Assert.That(Math.Abs(foundMeans[k] - means[k]) <= Math.Abs(means[k]) * 1.2e-7 + 1e-9, $"mean {k}: {foundMeans[k]}, expected {means[k]}");
            var expected = 1 / Math.Sqrt(variances[k]);
            Assert.That(Math.Abs(foundInverses[k] - expected) <= relative * expected, $"1 / deviation {k}: {foundInverses[k]}, expected {expected}");
        }
    }
}
