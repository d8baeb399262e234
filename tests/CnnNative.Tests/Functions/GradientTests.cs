using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Gradients against finite differences of the functions themselves.</summary>
[EngineFixtures]
public sealed class GradientTests(EngineUnderTest engine) : EngineTests(engine)
{
    [TestCase(1, 1, 0, 1, PaddingMode.Zeros)]
    [TestCase(2, 2, 1, 1, PaddingMode.Reflect)]
    [TestCase(4, 1, 2, 2, PaddingMode.Circular)]
    [TestCase(2, 1, 1, 1, PaddingMode.Replicate)]
    public void Convolution(int groups, int stride, int padding, int dilation, PaddingMode mode)
    {
        using var scope = Device.Step();
        GradientCheck.Check(
            input => Functional.Conv2d(input[0], input[1], input[2], stride, padding, dilation, groups, mode),
            [Leaf([2, 4, 6, 7]), Leaf([4, 4 / groups, 3, 2]), Leaf([4])]);
    }

    [Test]
    public void FusedConvolution([Values(ActivationKind.Relu, ActivationKind.Sigmoid, ActivationKind.Tanh)] ActivationKind activation)
    {
        using var scope = Device.Step();
        // Far from the kinks: a bias of 3 keeps most results of ReLU off zero.
        GradientCheck.Check(
            input => Functional.Conv2d(input[0], input[1], input[2], activation: activation),
            [Leaf([1, 2, 4, 4]), Leaf([2, 2, 2, 2], scale: 0.3f), Leaf([2], mean: activation == ActivationKind.Relu ? 3 : 0)], step: 1f / 256);
    }

    [Test]
    public void Linear()
    {
        using var scope = Device.Step();
        GradientCheck.Check(input => Functional.Linear(input[0], input[1], input[2]), [Leaf([5, 7]), Leaf([3, 7]), Leaf([3])]);
        GradientCheck.Check(input => Functional.Linear(input[0], input[1], input[2], ActivationKind.Tanh), [Leaf([5, 7]), Leaf([3, 7], scale: 0.3f), Leaf([3])]);
    }

    [Test]
    public void BatchNorm([Values(false, true)] bool training)
    {
        using var scope = Device.Step();
        var (mean, variance) = (Tensor.Zeros([3], Device), Tensor.Full([3], 2, Device));
        GradientCheck.Check(
            input => Functional.BatchNorm(input[0], training ? null : mean, training ? null : variance, input[1], input[2], training),
            [Leaf([4, 3, 3, 2]), Leaf([3]), Leaf([3])]);
    }

    [Test]
    public void FusedBatchNorm(
        [Values] bool training, [Values] bool residual, [Values(ActivationKind.Identity, ActivationKind.Relu, ActivationKind.Tanh)] ActivationKind activation)
    {
        using var scope = Device.Step();
        var (mean, variance) = (Tensor.Zeros([3], Device), Tensor.Full([3], 2, Device));
        // A shift of 4 keeps the results of ReLU off zero.
        GradientCheck.Check(
            input => Functional.BatchNorm(
                input[0], training ? null : mean, training ? null : variance, input[1], input[2], training,
                residual: residual ? input[3] : null, activation: activation),
            [Leaf([4, 3, 3, 2]), Leaf([3]), Leaf([3], mean: activation == ActivationKind.Relu ? 4 : 0), .. residual ? [Leaf([4, 3, 3, 2])] : (Tensor[])[]]);
    }

    [Test]
    public void SmoothActivations()
    {
        using var scope = Device.Step();
        GradientCheck.Check(input => Functional.Sigmoid(input[0]), [Leaf([3, 17])]);
        GradientCheck.Check(input => Functional.Tanh(input[0]), [Leaf([3, 17])]);
        GradientCheck.Check(input => Functional.Softmax(input[0], 1), [Leaf([3, 7])]);
        GradientCheck.Check(input => Functional.LogSoftmax(input[0], 0), [Leaf([3, 7])]);
    }

    [Test]
    public void PiecewiseLinearFunctions()
    {
        using var scope = Device.Step();
        // Distinct numbers, further apart than two steps, and none near 0 or 6: no kink lies within a difference.
        GradientCheck.Check(input => Functional.Relu(input[0]), [Grid([5, 8])]);
        GradientCheck.Check(input => Functional.Relu6(input[0]), [Grid([5, 8])]);
        GradientCheck.Check(input => Functional.MaxPool2d(input[0], 3, 2, 1), [Grid([1, 2, 4, 5])]);
        GradientCheck.Check(input => Functional.AvgPool2d(input[0], 3, 2, 1, ceilMode: true, countIncludePad: false), [Leaf([2, 2, 6, 5])]);
        GradientCheck.Check(input => Functional.AdaptiveAvgPool2d(input[0], (3, 4)), [Leaf([2, 2, 7, 3])]);
        GradientCheck.Check(input => Functional.GlobalAvgPool2d(input[0]), [Leaf([2, 3, 5, 4])]);
    }

    [Test]
    public void CrossEntropy([Values(0f, 0.2f)] float smoothing)
    {
        using var scope = Device.Step();
        var labels = Tensor.From([2L, 0, 4, -100, 1], [5], Device);
        var weight = Tensor.From([0.5f, 1, 2, 0.25f, 1.5f], [5], Device);
        GradientCheck.Check(input => Functional.CrossEntropy(input[0], labels, weight, Reduction.Mean, smoothing), [Leaf([5, 5])]);
    }

    [Test]
    public void AWholeNetwork()
    {
        using var scope = Device.Step();
        var labels = Tensor.From([1L, 0, 2], [3], Device);
        GradientCheck.Check(
            input =>
            {
                var hidden = Functional.Tanh(Functional.Conv2d(input[0], input[1], padding: Padding.Same));
                var both = Functional.Concat([hidden, Functional.Add(hidden, hidden)]);
                var pooled = Functional.AvgPool2d(both, 2);
                return Functional.CrossEntropy(Functional.Linear(Functional.Flatten(pooled), input[2]), labels);
            },
            [Leaf([3, 1, 4, 6]), Leaf([2, 1, 3, 3]), Leaf([3, 24], scale: 0.3f)]);
    }

    private Tensor Leaf(Shape shape, float mean = 0, float scale = 1)
    {
        var random = new Random((int)shape.Count);
        var leaf = Tensor.From(Array.ConvertAll(new float[shape.Count], _ => mean + scale * (2 * random.NextSingle() - 1)), shape, Device);
        leaf.RequiresGrad = true;
        return leaf;
    }

    /// <summary>-1.9, -1.6, ... in random order.</summary>
    private Tensor Grid(Shape shape)
    {
        var random = new Random(1);
        var values = Enumerable.Range(0, (int)shape.Count).Select(i => -1.9f + 0.3f * i).OrderBy(_ => random.Next()).ToArray();
        var leaf = Tensor.From(values, shape, Device);
        leaf.RequiresGrad = true;
        return leaf;
    }
}
