using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Elementwise arithmetic, sums and casts on the device.</summary>
public sealed class NativeElementwiseTests : NativeTests
{
    [Test]
    public void ArithmeticAgreesWithTheCpu([Values(0, 1, 443, 4099)] int count, [ValueSource(nameof(Types))] DType type)
    {
        Compare(type, 0.51, side =>
        {
            var engine = side.Device.Engine.Elementwise;
            Tensor a = side.Of(Random(count, 1), [count]), b = side.Of(Random(count, 2), [count]);
            Tensor sum = side.Empty([count]), product = side.Empty([count]), scaled = side.Empty([count]), filled = side.Empty([count]), spread = side.Empty([count]);
            engine.Add(a, b, sum);
            engine.Multiply(a, b, product);
            engine.Scale(a, 3f, scaled);
            engine.Fill(filled, 0.75f);
            engine.Broadcast(side.Of([0.5f], Shape.Scalar), 3f, spread);
            engine.Add(a, b, a);
            return [sum, product, scaled, filled, spread, a];
        });
    }

    [Test]
    public void SumsAgreeWithTheCpu([Values(0, 1, 443, 100_003)] int count, [ValueSource(nameof(Types))] DType type)
    {
        Compare(type, 2, side =>
        {
            var y = side.Empty(Shape.Scalar);
            side.Device.Engine.Elementwise.Sum(side.Of(Random(count, 1, 0f, 1f / (1 + count)), [count]), y);
            return [y];
        });
    }

    [Test]
    public void SumsTakeFewBlocks()
    {
        Assert.That(SumLaunch.For(0, DType.Float32).Grid.X, Is.EqualTo(1));
        Assert.That(SumLaunch.For(4097, DType.Float32).Grid.X, Is.EqualTo(2));
        Assert.That(SumLaunch.For(1L << 40, DType.BFloat16).Grid.X, Is.EqualTo(1024));
    }

    [Test]
    public void OtherTypesAreRefused()
    {
        using var scope = Device.Inference();
        var integers = Tensor.From([1, 2, 3], [3], Device);
        Assert.That(() => Device.Engine.Elementwise.Scale(integers, 2f, integers), Throws.InstanceOf<EngineNotSupportedException>().With.Message.Contains("Int32"));
    }
}
