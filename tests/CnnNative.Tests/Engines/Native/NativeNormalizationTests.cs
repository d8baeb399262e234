using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Batch normalisation and sums of channels on the device against the CPU's: channels in one block and in parts.</summary>
public sealed class NativeNormalizationTests : NativeTests
{
    /// <summary>Shapes of one block and of parts, with and without whole vectors, fewer and more channels than lanes.</summary>
    private static readonly Shape[] Shapes = [[64, 10], [443, 3], [9, 132], [4, 6, 7, 5], [3, 8, 8, 8], [2, 4, 97, 97], [1, 3, 160, 128], [700, 20, 4, 4], [9000, 7], [32, 24, 7, 7], [41, 12, 7, 7]];

    private static IEnumerable<TestCaseData> Problems() =>
        from shape in Shapes
        from layout in shape.Rank == 4 ? Enum.GetValues<Layout>() : [Layout.Nchw]
        from type in shape.Count < 50000 ? Types : [DType.Float32]
        select new TestCaseData(type, shape, layout);

    private static IEnumerable<TestCaseData> ProblemsOfDecisions() =>
        from shape in (Shape[])[[64, 10], [443, 3], [4, 6, 7, 5], [3, 8, 8, 8], [3, 8, 32, 32], [1, 1, 144, 130]]
        from layout in shape.Rank == 4 ? Enum.GetValues<Layout>() : [Layout.Nchw]
        from type in Types
        select new TestCaseData(type, shape, layout);

    [TestCaseSource(nameof(Problems))]
    public void TrainingAgreesWithTheCpu(DType type, Shape shape, Layout layout)
    {
        var channels = shape[1];
        Compare(type, 24, side =>
        {
            var engine = side.Device.Engine.Normalization;
            Tensor x = side.Of(Random(shape.Count, 1, -1f, 3f), shape, layout), dy = side.Of(Random(shape.Count, 2), shape, layout);
            Tensor gamma = side.Float(Random(channels, 3, 0.5f, 2f)), beta = side.Float(Random(channels, 4));
            Tensor y = side.Empty(shape, layout), dx = side.Empty(shape, layout), dxGiven = side.Empty(shape, layout);
            Tensor mean = side.EmptyFloat(channels), inverse = side.EmptyFloat(channels), dgamma = side.EmptyFloat(channels), dbeta = side.EmptyFloat(channels);
            Tensor runningMean = side.Float(Random(channels, 5)), runningVariance = side.Float(Random(channels, 6, 0.5f, 2f));
            engine.BatchForward(x, gamma, beta, 1e-5f, y, mean, inverse, running: new(runningMean, runningVariance, 0.1f));
            engine.BatchBackward(x, dy, gamma, mean, inverse, true, dx, dgamma, dbeta);
            engine.BatchBackward(x, dy, null, mean, inverse, false, dxGiven, null, null);
            return [y, mean, inverse, runningMean, runningVariance, dx, dgamma, dbeta, dxGiven];
        });
    }

    /// <summary>
    /// Channels that are kept in shared memory, around the 48 KiB that a block gets without permission: with 32 x 32 pixels the forward pass keeps
    /// 4 KiB per image and the backward pass 8.
    /// </summary>
    [TestCase(5)]
    [TestCase(6)]
    [TestCase(7)]
    [TestCase(11)]
    [TestCase(12)]
    [TestCase(13)]
    public void KeptChannelsOfAnySizeAgreeWithTheCpu(int images) => Compare(DType.Float32, 24, side =>
    {
        Shape shape = [images, 2, 32, 32];
        var engine = side.Device.Engine.Normalization;
        Tensor x = side.Of(Random(shape.Count, 1, -1f, 3f), shape), dy = side.Of(Random(shape.Count, 2), shape);
        Tensor y = side.Empty(shape), dx = side.Empty(shape), mean = side.EmptyFloat(2), inverse = side.EmptyFloat(2);
        engine.BatchForward(x, null, null, 1e-5f, y, mean, inverse);
        engine.BatchBackward(x, dy, null, mean, inverse, true, dx, null, null);
        return [y, mean, inverse, dx];
    });

    /// <summary>Shapes whose vectors hold half a byte of decisions, cross planes, and end within a byte.</summary>
    [TestCaseSource(nameof(ProblemsOfDecisions))]
    public void ResidualAndActivationAgreeWithTheCpu(DType type, Shape shape, Layout layout)
    {
        var channels = shape[1];
        Compare(type, 24, side =>
        {
            var engine = side.Device.Engine.Normalization;
            // Multiples of 1/4 and given statistics of 0 and 1: the decision of no element hangs on a rounding.
            Tensor x = side.Of(Quarters(shape.Count, 1), shape, layout), residual = side.Of(Quarters(shape.Count, 2), shape, layout);
            Tensor dy = side.Of(Random(shape.Count, 3), shape, layout), beta = side.Float(Quarters(channels, 4));
            Tensor mean = side.Float(new float[channels]), variance = side.Float(Enumerable.Repeat(1f, channels).ToArray());
            var outputs = new List<Tensor>();
            foreach (var summand in (Tensor?[])[null, residual])
            {
                Tensor y = side.Empty(shape, layout), dx = side.Empty(shape, layout), dz = side.Empty(shape, layout);
                Tensor dgamma = side.EmptyFloat(channels), dbeta = side.EmptyFloat(channels);
                var decisions = engine.BatchInference(x, null, beta, 0f, mean, variance, y, new(summand, ActivationKind.Relu6, ForGradient: true));
                engine.BatchBackward(x, dy, null, mean, variance, true, dx, dgamma, dbeta, new(ActivationKind.Relu6, beta, decisions, dz));
                outputs.AddRange([y, dx, dz, dgamma, dbeta]);
            }

            return [.. outputs];
        });
    }

    private static float[] Quarters(long count, int seed) => Array.ConvertAll(Random(count, seed, -12f, 28f), value => MathF.Round(value) / 4);

    [TestCaseSource(nameof(Problems))]
    public void InferenceAgreesWithTheCpu(DType type, Shape shape, Layout layout)
    {
        var channels = shape[1];
        Compare(type, 8, side =>
        {
            var y = side.Empty(shape, layout);
            side.Device.Engine.Normalization.BatchInference(
                side.Of(Random(shape.Count, 1), shape, layout), null, side.Float(Random(channels, 4)), 1e-3f,
                side.Float(Random(channels, 5)), side.Float(Random(channels, 6, 0.5f, 2f)), y);
            return [y];
        });
    }

    /// <summary>What cancels where squares are subtracted: a mean of 10,000 deviations.</summary>
    [TestCase(64)]
    [TestCase(20000)]
    public void ALargeMeanCostsNoDigits(int rows)
    {
        using var scope = Device.Inference();
        var x = Random(rows * 5L, 1, 9999f, 10001f);
        Tensor y = Tensor.Empty([rows, 5], DType.Float32, Device), mean = Tensor.Empty([5], DType.Float32, Device), inverse = Tensor.Empty([5], DType.Float32, Device);
        Device.Engine.Normalization.BatchForward(Tensor.From(x, [rows, 5], Device), null, null, 1e-5f, y, mean, inverse);
        var deviations = inverse.ToArray<float>();
        for (var c = 0; c < 5; c++)
        {
            var column = Enumerable.Range(0, rows).Select(row => (double)x[row * 5 + c]).ToArray();
            var center = column.Average();
            var exact = 1 / Math.Sqrt(column.Average(value => (value - center) * (value - center)) + 1e-5);
            Assert.That(Math.Abs(deviations[c] - exact) / exact, Is.LessThan(2e-6), $"channel {c}: {deviations[c]} for {exact}");
        }
    }

    [TestCaseSource(nameof(Problems))]
    public void SumsOfChannelsAreRight(DType type, Shape shape, Layout layout)
    {
        using var scope = Device.Inference();
        var side = new Side(Device, type);
        var (x, db) = (side.Of(Random(shape.Count, 1, 0f, 1f), shape, layout), side.Empty([shape[1]]));
        Device.Engine.Convolution.BackwardBias(x, db);
        var (elements, expected, pixels) = (Side.Read(x), new double[shape[1]], shape.CountFrom(2));
        for (var i = 0; i < elements.Length; i++) expected[i / pixels % shape[1]] += elements[i];
        Agreement.CheckRounded(Side.Read(db), expected, "sums", type);
    }

    [Test]
    public void SmallChannelsAreOneBlockAndLargeOnesFillTheDevice()
    {
        var small = ChannelPlan.For(64, 128, 49, Layout.Nchw, DType.Float32, aligned: true);
        Assert.That((small.IsSmall, small.Bundles, small.Geometry.Width), Is.EqualTo((true, 128, 1)), "49 pixels are not whole vectors");
        var large = ChannelPlan.For(256, 64, 112 * 112, Layout.Nchw, DType.Float32, aligned: true);
        Assert.That((large.Parts, large.Bundles, large.Geometry.Width), Is.EqualTo((16, 64, 4)));
        var rows = ChannelPlan.For(256, 64, 112 * 112, Layout.Nhwc, DType.BFloat16, aligned: true);
        Assert.That((rows.ByRows, rows.Bundles, rows.Geometry.Lanes, rows.Geometry.Width), Is.EqualTo((true, 1, 8, 8)));
        Assert.That(rows.Parts, Is.InRange(500, 1024));
        Assert.That(() => ChannelPlan.For(1 << 16, 1, 1 << 16, Layout.Nchw, DType.Float32, true), Throws.InstanceOf<EngineNotSupportedException>());
    }

    /// <summary>A layer of LeNet-5 is sooner read than memory is busy: sums share it, four vectors per thread, but what one block can do in one launch it does.</summary>
    [Test]
    public void SumsShareSmallTensors()
    {
        var planes = ChannelPlan.ForSums(256, 6, 28 * 28, Layout.Nchw, DType.Float32, aligned: true);
        Assert.That((planes.Parts, planes.Bundles), Is.EqualTo((49, 6)), "50,176 vectors per channel, 1,024 per block");
        Assert.That(ChannelPlan.ForSums(64, 16, 10 * 10, Layout.Nchw, DType.Float32, aligned: true).IsSmall, "1,600 vectors per channel");
        var rows = ChannelPlan.ForSums(256, 120, 1, Layout.Nchw, DType.Float32, aligned: true);
        Assert.That((rows.Parts, rows.Bundles, rows.Geometry.Lanes), Is.EqualTo((1, 8, 4)), "256 rows of 4 vectors each");
        Assert.That(ChannelPlan.For(256, 120, 1, Layout.Nchw, DType.Float32, aligned: true).Bundles, Is.EqualTo(2));
        var tall = ChannelPlan.ForSums(2000, 120, 1, Layout.Nchw, DType.Float32, aligned: true);
        Assert.That((tall.Parts, tall.Bundles, tall.Geometry.Lanes), Is.EqualTo((1, 15, 2)), "not narrower than a sector, and one block can do it");
    }

    [Test]
    public void ChannelsOfPlanesAreKeptWhereFourBlocksFit()
    {
        const int shared = 227 << 10;
        var plan = ChannelPlan.For(256, 2048, 49, Layout.Nchw, DType.Float32, aligned: true);
        Assert.That(plan.Keeping(DType.Float32, 1, shared) is { KeptBytes: 256 * 49 * 4, Geometry.Keeps: 1 });
        Assert.That(plan.Keeping(DType.Float32, 2, shared), Is.EqualTo(plan), "100 KB leave room for two");
        Assert.That(plan.Keeping(DType.BFloat16, 2, shared).KeptBytes, Is.EqualTo(256 * 49 * 4));
        var large = ChannelPlan.For(256, 64, 112 * 112, Layout.Nchw, DType.Float32, aligned: true);
        Assert.That(large.Keeping(DType.Float32, 1, 1 << 30), Is.EqualTo(large), "several blocks share a channel");
    }

    /// <summary>Bundles of channels as wide as leaves one block all rows, but no narrower than the 32 bytes that memory moves at once.</summary>
    [TestCase(2, 512, DType.BFloat16, true, 32, 2, 1)]
    [TestCase(32, 512, DType.BFloat16, true, 2, 32, 1)]
    [TestCase(32, 512, DType.Float32, true, 2, 64, 1)]
    [TestCase(32, 2048, DType.BFloat16, true, 2, 128, 1)]
    [TestCase(32, 64, DType.BFloat16, true, 2, 4, 1)]
    [TestCase(42, 512, DType.BFloat16, true, 32, 2, 17)]
    [TestCase(256, 512, DType.BFloat16, true, 32, 2, 98)]
    [TestCase(10, 3, DType.Float32, true, 4, 1, 1)]
    [TestCase(10, 67, DType.BFloat16, true, 32, 3, 4)]
    [TestCase(10, 67, DType.Float32, false, 8, 9, 1)]
    public void BundlesOfRowsAreNarrowWhereOneBlockThenDoesThem(int images, int channels, DType type, bool aligned, int lanes, int bundles, int parts)
    {
        var plan = ChannelPlan.For(images, channels, 49, Layout.Nhwc, type, aligned);
        Assert.That((plan.Geometry.Lanes, plan.Bundles, plan.Parts), Is.EqualTo((lanes, bundles, parts)));
    }

    [Test]
    public void BundlesOfRowsAreKeptWhereOneFits()
    {
        const int shared = 227 << 10, rows = 32 * 49;
        var plan = ChannelPlan.For(32, 512, 49, Layout.Nhwc, DType.BFloat16, aligned: true);
        Assert.That(plan.Keeping(DType.BFloat16, 1, shared) is { KeptBytes: rows * 32, Geometry.Keeps: 1 });
        Assert.That(plan.Keeping(DType.BFloat16, 2, shared).KeptBytes, Is.EqualTo(2 * rows * 32));
        Assert.That(plan.Keeping(DType.BFloat16, 2, 99 << 10), Is.EqualTo(plan), "there is no room beside what threads exchange");
        var large = ChannelPlan.For(256, 512, 49, Layout.Nhwc, DType.BFloat16, aligned: true);
        Assert.That(large.Keeping(DType.BFloat16, 1, 1 << 30), Is.EqualTo(large), "several blocks share a channel");
    }

    [Test]
    public void ChannelsFollowFromTheNumberOfAnElement()
    {
        Assert.That(ChannelMap.OrderOf(run: 64, channels: 3, width: 4), Is.EqualTo(ChannelOrder.Run));
        Assert.That(ChannelMap.OrderOf(run: 49, channels: 64, width: 4), Is.EqualTo(ChannelOrder.Any));
        Assert.That(ChannelMap.OrderOf(run: 1, channels: 64, width: 8), Is.EqualTo(ChannelOrder.Consecutive));
        Assert.That(ChannelMap.OrderOf(run: 1, channels: 6, width: 4), Is.EqualTo(ChannelOrder.Any));
    }
}
