using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Functions and settings that have no golden table of their own.</summary>
[EngineFixtures]
public sealed class SmallFunctionTests(EngineUnderTest engine) : EngineTests(engine)
{
    [TestCase(ActivationKind.Identity)]
    [TestCase(ActivationKind.Relu)]
    [TestCase(ActivationKind.Relu6)]
    [TestCase(ActivationKind.Sigmoid)]
    [TestCase(ActivationKind.Tanh)]
    public void ActivationsAreTheirFormulas(ActivationKind kind)
    {
        using var scope = Device.Step();
        float[] x = [.. Enumerable.Range(0, 443).Select(i => (i - 221) / 16f), 100, -100, 1e30f, -1e30f, float.PositiveInfinity, float.NegativeInfinity, float.NaN];
        var y = Functional.Activate(kind, Tensor.From(x, [x.Length], Device)).ToArray<float>();
        Agreement.Within(y, Array.ConvertAll(x, value => Formula(kind, value)), kind is ActivationKind.Sigmoid or ActivationKind.Tanh ? 2e-7 : 0, kind.ToString());
    }

    [Test]
    public void AFusedActivationIsTheActivationOfTheResult(
        [Values(ActivationKind.Relu, ActivationKind.Relu6, ActivationKind.Sigmoid, ActivationKind.Tanh)] ActivationKind kind, [Values] Layout layout)
    {
        using var scope = Device.Step();
        Device.Random.Seed = 3;
        var (x, w, b) = (Tensor.Normal([2, 5, 9, 11], device: Device).ToLayout(layout), Tensor.Normal([7, 5, 3, 3], device: Device), Tensor.Normal([7], device: Device));
        var apart = Functional.Activate(kind, Functional.Conv2d(x, w, b, padding: 1));
        Assert.That(Functional.Conv2d(x, w, b, padding: 1, activation: kind).ToArray<float>(), Is.EqualTo(apart.ToArray<float>()));
        var (rows, weights) = (Tensor.Normal([5, 37], device: Device), Tensor.Normal([7, 37], device: Device));
        Assert.That(
            Functional.Linear(rows, weights, b, kind).ToArray<float>(), Is.EqualTo(Functional.Activate(kind, Functional.Linear(rows, weights, b)).ToArray<float>()));
    }

    [TestCase(1, 1, 0, 0)]
    [TestCase(2, 1, 0, 1)]
    [TestCase(3, 1, 1, 1)]
    [TestCase(4, 1, 1, 2)]
    [TestCase(2, 3, 1, 2)]
    [TestCase(5, 2, 4, 4)]
    public void SamePaddingKeepsTheSizeAndPutsTheLargerHalfBelowAndToTheRight(int kernel, int dilation, int before, int after)
    {
        using var scope = Device.Step();
        var (x, w) = (Tensor.Normal([1, 2, 8, 11], device: Device), Tensor.Normal([3, 2, kernel, kernel], device: Device));
        var y = Functional.Conv2d(x, w, padding: Padding.Same, dilation: dilation);
        Assert.That(y.Shape, Is.EqualTo(new Shape(1, 3, 8, 11)));
        var explicitly = Functional.Conv2d(x, w, padding: (before, after, before, after), dilation: dilation);
        Assert.That(y.ToArray<float>(), Is.EqualTo(explicitly.ToArray<float>()));
    }

    [Test]
    public void HitsAreRowsWhoseFirstLargestScoreIsAtTheLabel()
    {
        using var scope = Device.Step();
        var scores = Tensor.From([0f, 1, 2, 5, 5, 1, -3, -2, -2, 7, 7, 7], [4, 3], Device);
        Assert.That(Hits(2, 0, 1, 0), Is.EqualTo(4));
        Assert.That(Hits(2, 1, 2, 1), Is.EqualTo(1), "of equal scores the first counts");
        Assert.That(Hits(0, 2, 0, 2), Is.Zero);
        Assert.That(Functional.CountHits(Tensor.Empty([0, 3], device: Device), Tensor.From(Array.Empty<long>(), [0], Device)), Is.Zero);

        long Hits(params long[] labels) => Functional.CountHits(scores, Tensor.From(labels, [4], Device));
    }

    private static double Formula(ActivationKind kind, double x) => kind switch
    {
        ActivationKind.Identity => x,
        ActivationKind.Relu => double.IsNaN(x) ? x : Math.Max(x, 0),
        ActivationKind.Relu6 => double.IsNaN(x) ? x : Math.Clamp(x, 0, 6),
        ActivationKind.Sigmoid => 1 / (1 + Math.Exp(-x)),
        ActivationKind.Tanh => Math.Tanh(x),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
