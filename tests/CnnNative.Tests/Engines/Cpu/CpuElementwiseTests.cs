using CnnNative.Engines;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Elementwise operations over lengths with tails, outputs that are inputs, and sums that a float would lose.</summary>
public sealed class CpuElementwiseTests
{
    private static readonly int[] Lengths = [0, 1, 15, 16, 17, 31, 32, 33, 443, 40009];

    [TestCaseSource(nameof(Lengths))]
    public void Arithmetic(int length)
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var random = new Random(length);
        float[] a = [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)], b = [.. a.Select(_ => random.NextSingle())];
        Check((x, y) => device.Engine.Elementwise.Add(x, y, x), (x, y) => x + y);
        Check((x, y) => device.Engine.Elementwise.Multiply(x, y, x), (x, y) => x * y);
        Check((x, _) => device.Engine.Elementwise.Scale(x, 3f, x), (x, _) => 3f * x);
        Check((x, _) => device.Engine.Elementwise.Fill(x, 7f), (_, _) => 7f);
        Check((x, _) => device.Engine.Activation.Forward(ActivationKind.Relu, x, x), (x, _) => Math.Max(x, 0f));
        Check((x, _) => device.Engine.Activation.Forward(ActivationKind.Relu6, x, x), (x, _) => Math.Clamp(x, 0f, 6f));
        Check((x, _) => device.Engine.Activation.Forward(ActivationKind.Identity, x, x), (x, _) => x);
        Check((x, y) => device.Engine.Activation.Backward(ActivationKind.Relu, x, y, x), (x, y) => x > 0f ? y : 0f);

        void Check(Action<Tensor, Tensor> operation, Func<float, float, float> expected)
        {
            var (x, y) = (Tensor.From(a, [length], device), Tensor.From(b, [length], device));
            operation(x, y);
            Assert.That(x.ToArray<float>(), Is.EqualTo(a.Zip(b, expected)));
        }
    }

    [Test]
    public void ReluKeepsNaN()
    {
        using var device = new CpuDevice(1);
        using var scope = device.Inference();
        var x = Tensor.From([float.NaN, -1f, float.PositiveInfinity, float.NegativeInfinity], [4], device);
        foreach (var (kind, top) in ((ActivationKind, float)[])[(ActivationKind.Relu, float.PositiveInfinity), (ActivationKind.Relu6, 6f)])
        {
            var y = Tensor.Empty([4], DType.Float32, device);
            device.Engine.Activation.Forward(kind, x, y);
            Assert.That(y.ToArray<float>(), Is.EqualTo(new[] { float.NaN, 0f, top, 0f }));
        }
    }

    [Test]
    public void LongSumsKeepTheirDigits()
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var sum = Tensor.Empty(Shape.Scalar, DType.Float32, device);
        device.Engine.Elementwise.Sum(Tensor.Full([20_000_003], 0.1f, device), sum);
        Assert.That(sum.Item(), Is.EqualTo((float)(20_000_003 * (double)0.1f)).Within(1).Ulps);
        device.Engine.Elementwise.Sum(Tensor.Empty([0], DType.Float32, device), sum);
        Assert.That(sum.Item(), Is.Zero);
    }

    [Test]
    public void BroadcastAndIncrement()
    {
        using var device = new CpuDevice(1);
        using var scope = device.Inference();
        var y = Tensor.Empty([33], DType.Float32, device);
        device.Engine.Elementwise.Broadcast(Tensor.Full(Shape.Scalar, 3f, device), 0.5f, y);
        Assert.That(y.ToArray<float>(), Is.All.EqualTo(1.5f));
        var counter = Tensor.From([41L], Shape.Scalar, device);
        device.Engine.Elementwise.Increment(counter);
        Assert.That(counter.ToArray<long>()[0], Is.EqualTo(42));
    }
}
