using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>
/// Channels with elements that are no finite numbers, as PyTorch has them: the mean is that of IEEE arithmetic (an infinity where all infinite
/// elements have its sign, else NaN), the variance and with it the whole output are NaN. No other channel notices.
/// </summary>
[EngineFixtures]
public sealed class BatchNormInfinityTests(EngineUnderTest engine) : EngineTests(engine)
{
    private const int Struck = 1;
    private const float Inf = float.PositiveInfinity;

    /// <summary>Channels of one block and of parts, in both orders, in whole vectors and not; those of two elements are the smallest with a variance.</summary>
    private static readonly Shape[] Shapes = [[2, 3], [443, 5], [4, 3, 7, 5], [3, 8, 8, 8], [2, 4, 97, 97], [9000, 8]];

    private static IEnumerable<TestCaseData> Problems() =>
        from shape in Shapes
        from layout in shape.Rank == 4 ? Enum.GetValues<Layout>() : [Layout.Nchw]
        from problem in ((float[] Elements, float Mean)[])[([Inf], Inf), ([-Inf], -Inf), ([Inf, Inf], Inf), ([Inf, -Inf], float.NaN), ([float.NaN], float.NaN)]
        from place in (double[])[0, 0.5, 1]
        select new TestCaseData(shape, layout, problem.Elements, place, problem.Mean);

    [TestCaseSource(nameof(Problems))]
    public void AChannelIsNaNAndTheOthersAreNot(Shape shape, Layout layout, float[] elements, double place, float mean)
    {
        var clean = Result(Random(shape), shape, layout);
        var x = Random(shape);
        var own = Enumerable.Range(0, x.Length).Where(i => Channel(i, shape) == Struck).ToArray();
        // At the first element, in the middle, at the last; the second one on the other side of the channel.
        var first = (int)(place * (own.Length - 1));
        for (var k = 0; k < elements.Length; k++) x[own[(first + k * (own.Length / 2)) % own.Length]] = elements[k];

        var (y, means, inverses, runningMeans, runningVariances) = Result(x, shape, layout);
        Assert.That((means[Struck], runningMeans[Struck]), Is.EqualTo((mean, mean)), "mean");
        Assert.That((inverses[Struck], runningVariances[Struck]), Is.EqualTo((float.NaN, float.NaN)), "1 / deviation, variance");
        for (var i = 0; i < y.Length; i++)
            Assert.That(y[i], Is.EqualTo(Channel(i, shape) == Struck ? float.NaN : clean.Y[i]), $"element {i}");
        for (var c = 0; c < means.Length; c++)
        {
            if (c == Struck) continue;
            Assert.That((means[c], inverses[c]), Is.EqualTo((clean.Mean[c], clean.Inverse[c])), $"channel {c}");
            Assert.That((runningMeans[c], runningVariances[c]), Is.EqualTo((clean.RunningMean[c], clean.RunningVariance[c])), $"channel {c}");
        }
    }

    private static int Channel(int i, Shape shape) => (int)(i / shape.CountFrom(2) % shape[1]);

    private static float[] Random(Shape shape)
    {
        var random = new Random(7);
        return Array.ConvertAll(new float[shape.Count], _ => random.NextSingle() * 2 - 1);
    }

    private (float[] Y, float[] Mean, float[] Inverse, float[] RunningMean, float[] RunningVariance) Result(float[] values, Shape shape, Layout layout)
    {
        using var scope = Device.Inference();
        var c = shape[1];
        Tensor x = Tensor.From(values, shape, Device).ToLayout(layout), y = Tensor.Empty(shape, DType.Float32, Device, layout);
        Tensor mean = Tensor.Zeros([c], Device), inverse = Tensor.Zeros([c], Device);
        Tensor runningMean = Tensor.Zeros([c], Device), runningVariance = Tensor.Zeros([c], Device);
        Device.Engine.Normalization.BatchForward(x, null, null, 1e-5f, y, mean, inverse, running: new(runningMean, runningVariance, 0.1f));
        return (y.ToLayout(Layout.Nchw).ToArray<float>(), mean.ToArray<float>(), inverse.ToArray<float>(), runningMean.ToArray<float>(), runningVariance.ToArray<float>());
    }
}
