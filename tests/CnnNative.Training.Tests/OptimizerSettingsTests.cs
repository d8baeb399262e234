using CnnNative.Optimizers;
using NUnit.Framework;

namespace CnnNative.Training.Tests;

public sealed class OptimizerSettingsTests : TrainingFixture
{
    [TestCase(0f, 1_000_000, 0.5f)]
    [TestCase(0.01f, 0, 0.5f)]
    [TestCase(0.01f, 100, 0.25f)]
    [TestCase(0.01f, 300, 0.125f)]
    public void The_rate_shrinks_with_the_steps(float decay, long steps, float rate) =>
        Assert.That(new OptimizerSettings(OptimizerKind.Sgd, 0.5f, RateDecay: decay).RateAt(steps), Is.EqualTo(rate));

    [TestCase(OptimizerKind.Sgd, typeof(Sgd))]
    [TestCase(OptimizerKind.Adam, typeof(Adam))]
    public void Makes_the_optimizer(OptimizerKind kind, Type type)
    {
        using var parameter = Tensor.Ones([3], Device);
        using var optimizer = new OptimizerSettings(kind, 0.5f).Create([parameter]);
        Assert.That(optimizer, Is.TypeOf(type));
        Assert.That(optimizer.LearningRate, Is.EqualTo(0.5f));
    }

    [Test]
    public void Says_what_it_is() => Assert.That(
        new OptimizerSettings(OptimizerKind.Sgd, 0.05f, 0.9f, 1e-4f, 0.002f).ToString(),
        Is.EqualTo("sgd, learning rate 0.05 / (1 + 0.002 x step), momentum 0.9, weight decay 0.0001"));
}
