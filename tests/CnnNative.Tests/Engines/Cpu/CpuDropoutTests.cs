using CnnNative.Engines.Cpu;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Dropout and random tensors against their definition, element by element from single blocks of the generator.</summary>
public sealed class CpuDropoutTests
{
    private static readonly RandomStream Stream = new(0xDEADBEEF12345678, 0x100000002);

    [TestCase(1, 0.5f)]
    [TestCase(1, 0f)]
    [TestCase(1, 1f)]
    [TestCase(15, 0.3f)]
    [TestCase(56, 0.3f)]
    public void Dropout(int unitSize, float probability)
    {
        Shape shape = [3, 7, 8, 7];
        foreach (var layout in (Layout[])[Layout.Nchw, Layout.Nhwc])
        {
            using var device = new CpuDevice(2);
            using var scope = device.Inference();
            var x = Enumerable.Range(1, (int)shape.Count).Select(i => (float)i).ToArray();
            if (shape.Count % unitSize != 0) Array.Resize(ref x, x.Length / unitSize * unitSize);
            Shape own = x.Length == shape.Count ? shape : [x.Length];
            var source = Tensor.From(x, own, device);
            if (own.Rank == 4) source = source.ToLayout(layout);
            var y = Tensor.Empty(own, DType.Float32, device, source.Layout);
            device.Engine.Dropout.Apply(source, probability, unitSize, Stream, y);
            var factor = 1f / (1f - probability);
            var expected = x.Select((value, i) => Unit(i / unitSize) >= probability ? value * factor : 0f).ToArray();
            Assert.That(y.ToArray<float>(), Is.EqualTo(expected), $"{layout}");
        }
    }

    [Test]
    public void DroppedNaNIsZero()
    {
        using var device = new CpuDevice(1);
        using var scope = device.Inference();
        var x = Tensor.Full([443], float.NaN, device);
        device.Engine.Dropout.Apply(x, 1f, 1, Stream, x);
        Assert.That(x.ToArray<float>(), Is.All.EqualTo(0f));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(31)]
    [TestCase(443)]
    public void Uniform(int count)
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var y = Tensor.Empty([count], DType.Float32, device);
        device.Engine.Random.Uniform(y, -3f, 5f, Stream);
        var expected = Enumerable.Range(0, count).Select(i => MathF.FusedMultiplyAdd(8f, Unit(i), -3f)).ToArray();
        Assert.That(y.ToArray<float>(), Is.EqualTo(expected));
    }

    [Test]
    public void UniformDoesNotReachItsBound()
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        // One step of float wide: half of the sums would round up to the bound.
        var y = Tensor.Empty([10007], DType.Float32, device);
        device.Engine.Random.Uniform(y, 1f, MathF.BitIncrement(1f), Stream);
        Assert.That(y.ToArray<float>(), Is.All.EqualTo(1f));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(443)]
    [TestCase(100003)]
    public void Normal(int count)
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var y = Tensor.Empty([count], DType.Float32, device);
        device.Engine.Random.Normal(y, 2f, 3f, Stream);
        var actual = y.ToArray<float>();
        for (var i = 0; i < count; i++)
        {
            var radius = Math.Sqrt(-2 * Math.Log((Unit(i & ~1) * (1 << 24) + 1) / (1 << 24)));
            var angle = 2 * Math.PI * Unit(i | 1);
            var expected = 2 + 3 * radius * (i % 2 == 0 ? Math.Cos(angle) : Math.Sin(angle));
            Assert.That(Math.Abs(actual[i] - expected) < 4e-6, $"element {i}: {actual[i]}, expected {expected}");
        }
    }

    /// <summary>The top 24 bits of an element of the stream over 2^24.</summary>
    private static float Unit(int element)
    {
        var (w0, w1, w2, w3) = Philox.Block(
            ((uint)element / 4, 0, (uint)Stream.Stream, (uint)(Stream.Stream >> 32)), ((uint)Stream.Seed, (uint)(Stream.Seed >> 32)));
        var word = (element % 4) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 };
        return (word >> 8) / (float)(1 << 24);
    }
}
