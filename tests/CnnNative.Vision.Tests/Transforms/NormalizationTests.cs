using CnnNative.Vision.Transforms;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Transforms;

public sealed class NormalizationTests
{
    [TestCase(1, 1)]
    [TestCase(1, 31)]
    [TestCase(3, 443)]
    [TestCase(3, 256)]
    public void FollowsItsDefinition(int channels, int plane)
    {
        float[] mean = [0.1f, 0.4f, 0.7f], deviation = [0.2f, 0.3f, 0.9f];
        var normalization = new Normalization(mean[..channels], deviation[..channels]);
        var pixels = Enumerable.Range(0, channels * plane).Select(i => (byte)(i * 37)).ToArray();
        var result = new float[pixels.Length];
        normalization.Apply(pixels, result);
        for (var i = 0; i < pixels.Length; i++)
        {
            var c = i / plane;
            var expected = (pixels[i] / 255.0 - mean[c]) / deviation[c];
            // Two roundings of factors and two of the result.
            Assert.That(result[i], Is.EqualTo(expected).Within(4 * Math.Pow(2, -24) * (1.0 / deviation[c])), $"element {i}");
        }
    }

    [Test]
    public void WrongArgumentsAreRefused()
    {
        Assert.That(() => new Normalization([0f], [0f]), Throws.ArgumentException.With.Message.Contains("deviation 0"));
        Assert.That(() => new Normalization([0f], [float.NaN]), Throws.ArgumentException);
        Assert.That(() => new Normalization([0f, 1f], [1f]), Throws.ArgumentException.With.Message.Contains("2 means and 1 deviations"));
        Assert.That(() => new Normalization([0f, 1f], [1f, 1f]).Apply(new byte[3], new float[3]), Throws.ArgumentException);
    }
}
