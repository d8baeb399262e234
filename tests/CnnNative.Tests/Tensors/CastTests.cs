using CnnNative.TestKit;
using CnnNative.Tests.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Tensors;

/// <summary>Elements of 16 bits by engine: rounding, and the gradient of a cast.</summary>
[EngineFixtures]
public sealed class CastTests(EngineUnderTest engine) : EngineTests(engine)
{
    /// <summary>All 65,536 halves, and floats between them and beyond.</summary>
    [Test]
    public void CastsRoundToNearestEven([Values(DType.BFloat16, DType.Float16)] DType type)
    {
        using var scope = Device.Inference();
        var x = new float[(1 << 18) + 3];
        for (var i = 0; i < x.Length; i++)
        {
            var half = type == DType.Float16 ? (float)BitConverter.UInt16BitsToHalf((ushort)(i >> 2)) : BitConverter.UInt32BitsToSingle((uint)i >> 2 << 16);
            // The number itself, just beside it, halfway to the next, just behind that.
            var step = type == DType.Float16 ? 0x1000u : 0x8000u;
            x[i] = float.IsNaN(half) ? 0f : BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(half) + (i & 3) switch { 0 => 0u, 1 => 1u, 2 => step, _ => step + 1 });
            if (float.IsNaN(x[i])) x[i] = 1f;
        }

        var narrow = Tensor.From(x, [x.Length], Device).To(type);
        Assert.That(narrow.DType, Is.EqualTo(type));
        Assert.That(narrow.To(DType.Float32).ToArray<float>(), Is.EqualTo(Array.ConvertAll(x, value => Side.Round(value, type))));
    }

    [Test]
    public void WhatIsNotFiniteStays([Values(DType.BFloat16, DType.Float16)] DType type)
    {
        using var scope = Device.Inference();
        float[] x = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, BitConverter.UInt32BitsToSingle(0x7FFFFFFF), .. new float[16]];
        Assert.That(Tensor.From(x, [x.Length], Device).To(type).To(DType.Float32).ToArray<float>(), Is.EqualTo(x));
    }

    [Test]
    public void OneHalfBecomesTheOther()
    {
        using var scope = Device.Inference();
        var x = Tensor.From([1.5f, -0.25f, 300f], [3], Device);
        Assert.That(x.To(DType.Float16).To(DType.BFloat16).To(DType.Float32).ToArray<float>(), Is.EqualTo(new[] { 1.5f, -0.25f, 300f }));
    }

    [Test]
    public void GradientsComeBackInTheTypeOfTheInput([Values(DType.BFloat16, DType.Float16)] DType type)
    {
        using var scope = Device.Step();
        var x = Tensor.From([1f, 2f, 3f, 4f], [1, 1, 2, 2], Device).ToLayout(Layout.Nhwc).Detach();
        x.RequiresGrad = true;
        var y = Functional.Scale(x, 3f).To(type).To(DType.Float32);
        y.Backward(Tensor.From([1f, -2f, 0.5f, 4f], [1, 1, 2, 2], Device));
        Assert.That((x.Grad!.DType, x.Grad.Layout), Is.EqualTo((DType.Float32, Layout.Nhwc)));
        Assert.That(x.Grad.ToArray<float>(), Is.EqualTo(new[] { 3f, -6f, 1.5f, 12f }));
        Assert.That(x.To(DType.Float32).RequiresGrad, "a cast to the same type has a gradient too");
    }

    [Test]
    public void AScalarOf16BitsIsALossAndAnItem([Values(DType.BFloat16, DType.Float16)] DType type)
    {
        using var scope = Device.Step();
        var x = Tensor.From([2.5f], [1], Device);
        x.RequiresGrad = true;
        var y = x.To(type);
        Assert.That(y.Item(), Is.EqualTo(2.5f));
        y.Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(1f));
    }

    [Test]
    public void IntegersAreRefused()
    {
        using var scope = Device.Inference();
        Assert.That(() => Tensor.From([1L], [1], Device).To(DType.Float32), Throws.InstanceOf<DTypeException>().With.Message.Contains("Int64"));
        Assert.That(() => Tensor.Ones([1], Device).To(DType.UInt8), Throws.InstanceOf<DTypeException>().With.Message.Contains("UInt8"));
    }
}
