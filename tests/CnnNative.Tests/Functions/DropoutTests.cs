using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

[EngineFixtures]
public sealed class DropoutTests(EngineUnderTest engine) : EngineTests(engine)
{
    [TestCase(0.1f)]
    [TestCase(0.5f)]
    [TestCase(0.9f)]
    public void KeepsTheRateAndTheMean(float probability)
    {
        using var scope = Device.Step();
        Device.Random.Seed = 3;
        const int count = 1_000_000;
        var y = Functional.Dropout(Tensor.Ones([count], Device), probability).ToArray<float>();
        var survivors = y.Count(value => value != 0);
        Assert.That(y.Where(value => value != 0), Is.All.EqualTo(1 / (1 - probability)).Within(1).Ulps);
        Assert.That(survivors / (double)count, Is.EqualTo(1 - probability).Within(5 * Math.Sqrt(0.25 / count)), "five deviations");
    }

    [Test]
    public void AnElementSurvivesWhenItsWordIsAtLeastTheProbability()
    {
        using var scope = Device.Step();
        Device.Random.Seed = 11;
        var y = Functional.Dropout(Tensor.Ones([443], Device), 0.3f).ToArray<float>();
        var stream = new RandomStream(11, 0);
        var expected = Enumerable.Range(0, 443).Select(i => (PhiloxReference.Block((uint)(i / 4), 0, stream)[i % 4] >> 8) / 16777216f >= 0.3f);
        Assert.That(y.Select(value => value != 0), Is.EqualTo(expected));
    }

    [Test]
    public void TheGradientDropsTheSameElements([Values] Layout layout)
    {
        using var scope = Device.Step();
        var x = Tensor.Full([3, 4, 5, 7], 2f, Device).ToLayout(layout).Detach();
        x.RequiresGrad = true;
        var y = Functional.Dropout(x, 0.4f);
        y.Backward(Tensor.Full(y.Shape, 2f, Device).ToLayout(layout));
        Assert.That(x.Grad!.ToArray<float>(), Is.EqualTo(y.ToArray<float>()));
    }

    [Test]
    public void DecisionsDoNotDependOnTheLayout([Values(false, true)] bool channels)
    {
        using var scope = Device.Step();
        var x = Tensor.Normal([3, 5, 4, 7], device: Device);
        Tensor Drop(Tensor input) => channels ? Functional.Dropout2d(input, 0.4f) : Functional.Dropout(input, 0.4f);
        Device.Random.Seed = 9;
        var nchw = Drop(x).ToArray<float>();
        Device.Random.Seed = 9;
        Assert.That(Drop(x.ToLayout(Layout.Nhwc)).ToArray<float>(), Is.EqualTo(nchw));
    }

    [Test]
    public void Dropout2dDropsWholeChannels([Values] Layout layout)
    {
        using var scope = Device.Step();
        Device.Random.Seed = 5;
        var x = Tensor.Ones([8, 16, 3, 5], Device).ToLayout(layout).Detach();
        x.RequiresGrad = true;
        var y = Functional.Dropout2d(x, 0.25f);
        var channels = y.ToArray<float>().Chunk(15).ToArray();
        Assert.That(channels, Is.All.Matches<float[]>(channel => channel!.All(value => value.Equals(channel![0]))));
        Assert.That(channels.Count(channel => channel[0] == 0), Is.InRange(16, 48), "of 128 channels, at a rate of a quarter");
        y.Backward(Tensor.Ones(y.Shape, Device).ToLayout(layout));
        Assert.That(x.Grad!.ToArray<float>(), Is.EqualTo(y.ToArray<float>()));
    }

    [Test]
    public void TheEndsOfTheRange()
    {
        using var scope = Device.Step();
        var x = Tensor.Normal([443], device: Device);
        Assert.That(Functional.Dropout(x, 1f).ToArray<float>(), Is.All.Zero);
        Assert.That(Functional.Dropout(x, 0f).ToArray<float>(), Is.EqualTo(x.ToArray<float>()));
        Assert.That(Functional.Dropout(x, 0.5f, training: false).ToArray<float>(), Is.EqualTo(x.ToArray<float>()));
        Assert.That(Functional.Dropout(Tensor.Empty([0, 3], device: Device), 0.5f).Count, Is.Zero);
    }

    [Test]
    public void InfinityAndNaNAreDroppedToZero()
    {
        using var scope = Device.Step();
        Device.Random.Seed = 2;
        var y = Functional.Dropout(Tensor.Full([1000], float.NaN, Device), 0.5f).ToArray<float>();
        Assert.That(y.Count(value => value == 0), Is.InRange(420, 580));
        Assert.That(y.Count(float.IsNaN), Is.EqualTo(1000 - y.Count(value => value == 0)));
    }

    [TestCase(-0.1f)]
    [TestCase(1.1f)]
    [TestCase(float.NaN)]
    public void AProbabilityOutsideTheRangeIsRefused(float probability)
    {
        using var scope = Device.Step();
        var x = Tensor.Ones([3, 3], Device);
        Assert.That(() => Functional.Dropout(x, probability), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("Dropout"));
        Assert.That(() => Functional.Dropout2d(x, probability), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("Dropout2d"));
    }
}
