using CnnNative.Engines;
using CnnNative.Optimizers;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Optimizers;

/// <summary>Norms and clipped gradients against the definition in float64, by engine: PyTorch's clip_grad_norm_ and clip_grad_value_.</summary>
[EngineFixtures]
public sealed class GradientClippingTests(EngineUnderTest engine) : EngineTests(engine)
{
    /// <summary>More tensors than fit one launch, of several blocks and of none, with ends that are no whole vectors.</summary>
    private static readonly int[] Counts = [3, 9001, 0, 4096, 1, .. Enumerable.Repeat(5, 170)];

    [Test]
    public void GradientsAreScaledTogether([Values] NormOrder order, [Values(0.5f, 1e6f)] float most)
    {
        using var scope = Device.Step();
        var values = Gradients(1);
        var parameters = Parameters(values);
        using var norm = GradientClipping.ByNorm(parameters, most, order);
        var all = values.SelectMany(value => value).Select(value => Math.Abs((double)value)).ToArray();
        var exact = order switch { NormOrder.One => all.Sum(), NormOrder.Two => Math.Sqrt(all.Sum(value => value * value)), _ => all.Max() };
        Agreement.CheckRounded([norm.Item()], [exact], "norm");
        var factor = Math.Min(1, most / (exact + 1e-6));
        for (var i = 0; i < values.Length; i++)
            Agreement.CheckRounded(parameters[i].Grad!.ToArray<float>(), Array.ConvertAll(values[i], value => value * factor), $"gradient {i}");
    }

    [Test]
    public void SmallGradientsKeepTheirBits()
    {
        using var scope = Device.Step();
        var values = Gradients(2);
        var parameters = Parameters(values);
        GradientClipping.ByNorm(parameters, 1e6f);
        for (var i = 0; i < values.Length; i++) Assert.That(parameters[i].Grad!.ToArray<float>(), Is.EqualTo(values[i]));
    }

    [Test]
    public void ValuesAreClampedOneByOne()
    {
        using var scope = Device.Step();
        var values = Gradients(3);
        values[1][7] = float.NaN;
        values[1][8] = float.NegativeInfinity;
        var parameters = Parameters(values);
        GradientClipping.ByValue(parameters, 0.25f);
        for (var i = 0; i < values.Length; i++)
            Assert.That(parameters[i].Grad!.ToArray<float>(), Is.EqualTo(Array.ConvertAll(values[i], value => Math.Clamp(value, -0.25f, 0.25f))), $"gradient {i}");
    }

    [Test]
    public void WhatIsNotFiniteReachesTheNorm([Values] NormOrder order, [Values(float.NaN, float.PositiveInfinity)] float bad)
    {
        using var scope = Device.Step();
        var values = Gradients(4);
        values[1][9000] = bad;
        var parameters = Parameters(values);
        Assert.That(
            () => GradientClipping.ByNorm(parameters, 1f, order, errorIfNonFinite: true),
            Throws.TypeOf<NonFiniteGradientException>().With.Property(nameof(NonFiniteGradientException.Norm)).EqualTo(bad));
        Assert.That(parameters[0].Grad!.ToArray<float>(), Is.EqualTo(values[0]), "a refused gradient is unchanged");
        Assert.That(GradientClipping.ByNorm(parameters, 1f, order).Item(), Is.EqualTo(bad));
        Assert.That(parameters[0].Grad!.ToArray<float>(), Has.All.EqualTo(float.IsNaN(bad) ? float.NaN : 0f));
    }

    [Test]
    public void ParametersWithoutGradientsDoNotCount()
    {
        using var scope = Device.Step();
        var lone = Tensor.Ones([2], Device);
        lone.RequiresGrad = true;
        Assert.That(GradientClipping.ByNorm([lone], 1f).Item(), Is.Zero);
        GradientClipping.ByValue([lone], 1f);
        Assert.That(lone.Grad, Is.Null);
        Assert.That(() => GradientClipping.ByNorm([], 1f), Throws.ArgumentException);
        Assert.That(() => GradientClipping.ByNorm([lone], -1f), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => GradientClipping.ByValue([lone], float.NaN), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private static float[][] Gradients(int seed)
    {
        var random = new Random(seed);
        return Array.ConvertAll(Counts, count => Array.ConvertAll(new float[count], _ => random.NextSingle() * 2 - 1));
    }

    private Tensor[] Parameters(float[][] gradients) => Array.ConvertAll(gradients, gradient =>
    {
        var parameter = Tensor.Zeros([gradient.Length], Device);
        parameter.RequiresGrad = true;
        parameter.Backward(Tensor.From(gradient, [gradient.Length], Device));
        return parameter;
    });
}
