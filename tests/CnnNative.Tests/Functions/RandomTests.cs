using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Random tensors: the published answers of Philox 4x32-10, their distribution, and their independence of threads.</summary>
[EngineFixtures]
public sealed class RandomTests(EngineUnderTest engine) : EngineTests(engine)
{
    /// <summary>Counter 0, key 0 and counter and key all ones, from the known-answer file of the Random123 library.</summary>
    private static readonly uint[] AllZeros = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];

    [Test]
    public void UniformIsThePublishedPhilox()
    {
        using var scope = Device.Step();
        Device.Random.Seed = 0;
        var drawn = Tensor.Uniform([4], device: Device).ToArray<float>();
        Assert.That(drawn, Is.EqualTo(AllZeros.Select(Fraction)));
    }

    /// <summary>Counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0: the digits of pi.</summary>
    [Test]
    public void EveryWordOfCounterAndKeyCounts()
    {
        using var scope = Device.Step();
        uint[] expected = [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1];
        var stream = new RandomStream(Seed: 0x299f31d0_a4093822, Stream: 0x03707344_13198a2e);
        Assert.That(PhiloxReference.Block(0x243f6a88, 0x85a308d3, stream), Is.EqualTo(expected), "the reference of this test");

        var y = Tensor.Empty([443], device: Device);
        Device.Engine.Random.Uniform(y, 0, 1, stream);
        var words = Enumerable.Range(0, 443).Select(i => PhiloxReference.Block((uint)(i / 4), 0, stream)[i % 4]);
        Assert.That(y.ToArray<float>(), Is.EqualTo(words.Select(Fraction)));
    }

    [Test]
    public void NormalIsBoxAndMullerOfTheSameWords()
    {
        using var scope = Device.Step();
        var stream = new RandomStream(5, 7);
        var y = Tensor.Empty([1001], device: Device);
        Device.Engine.Random.Normal(y, 2, 3, stream);
        var expected = Enumerable.Range(0, 1001).Select(i =>
        {
            var block = PhiloxReference.Block((uint)(i / 4), 0, stream);
            var (a, b) = (block[i % 4 & ~1], block[i % 4 | 1]);
            var radius = Math.Sqrt(-2 * Math.Log(((a >> 8) + 1) / 16777216.0));
            var angle = 2 * Math.PI * (b >> 8) / 16777216.0;
            return 2 + 3 * radius * (i % 2 == 0 ? Math.Cos(angle) : Math.Sin(angle));
        });
        // A small radius is the root of a difference that float holds with 24 bits.
        Agreement.Within(y.ToArray<float>(), [.. expected], 1e-4, "normal");
    }

    [Test]
    public void EachDrawTakesANewStreamAndTheSeedRepeatsThemAll()
    {
        using var scope = Device.Step();
        Device.Random.Seed = 42;
        var first = Tensor.Normal([100], device: Device).ToArray<float>();
        var second = Tensor.Normal([100], device: Device).ToArray<float>();
        Assert.That(second, Is.Not.EqualTo(first));
        Device.Random.Seed = 42;
        Assert.That(Tensor.Normal([100], device: Device).ToArray<float>(), Is.EqualTo(first));
        Assert.That(Tensor.Normal([100], device: Device).ToArray<float>(), Is.EqualTo(second));
        Device.Random.Seed = 43;
        Assert.That(Tensor.Normal([100], device: Device).ToArray<float>(), Is.Not.EqualTo(first));
    }

    [Test]
    public void MomentsAreThoseOfTheDistribution()
    {
        using var scope = Device.Step();
        Device.Random.Seed = 1;
        const int count = 1_000_000;
        var uniform = Tensor.Uniform([count], -1, 3, Device).ToArray<float>();
        Assert.That(uniform, Is.All.InRange(-1f, 3f));
        Assert.That(uniform.Average(), Is.EqualTo(1).Within(0.006), "mean; its deviation is 0.0012");
        Assert.That(uniform.Average(value => (value - 1.0) * (value - 1)), Is.EqualTo(16 / 12.0).Within(0.006), "variance");
        var normal = Tensor.Normal([count], 1, 2, Device).ToArray<float>();
        Assert.That(normal.Average(), Is.EqualTo(1).Within(0.01), "mean; its deviation is 0.002");
        Assert.That(normal.Average(value => (value - 1.0) * (value - 1)), Is.EqualTo(4).Within(0.03), "variance; its deviation is 0.0057");
        Assert.That(normal, Is.All.Matches<float>(float.IsFinite));
    }

    private static float Fraction(uint word) => (word >> 8) / 16777216f;
}
