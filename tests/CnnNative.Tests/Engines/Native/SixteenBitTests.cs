using CnnNative.Layers;
using CnnNative.Optimizers;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>A network in 16 bits through the public interface: weights kept in Float32, statistics in Float32, close to the network in Float32.</summary>
public sealed class SixteenBitTests : NativeTests
{
    [Test]
    public void ANetworkTrainsOnHalves([Values(DType.BFloat16, DType.Float16)] DType type, [Values] Layout layout, [Values] bool residual)
    {
        using var scope = Device.Step();
        var (exact, found) = (Gradients(DType.Float32, layout, residual), Gradients(type, layout, residual));
        for (var i = 0; i < exact.Length; i++)
        {
            var (distance, size) = (Norm(found[i].Zip(exact[i], (a, b) => a - b)), Norm(exact[i]));
            // A few roundings of the layers in between.
            Assert.That(distance, Is.LessThan(8 * Agreement.Epsilon(type) * size), $"result {i}: {distance / size:G3} of its size away");
            Assert.That(distance, Is.GreaterThan(0), $"result {i} was computed in Float32");
        }
    }

    /// <summary>Loss and gradients of convolution, normalisation with ReLU and a residual, pooling, linear, cross-entropy.</summary>
    private float[][] Gradients(DType type, Layout layout, bool residual)
    {
        Tensor Leaf(Shape shape, int seed, float scale, float mean = 0f)
        {
            var leaf = Tensor.From(Random(shape.Count, seed, mean - scale, mean + scale), shape, Device);
            leaf.RequiresGrad = true;
            return leaf;
        }

        // A shift of 4 keeps results off the kink of ReLU, and a mean has none: a rounding that moved a decision would move a whole gradient.
        var x = Tensor.From(Random(4 * 8 * 8 * 8, 1), [4, 8, 8, 8], Device).ToLayout(layout).To(type);
        Tensor filters = Leaf([8, 8, 3, 3], 2, 0.1f), gamma = Leaf([8], 3, 1f), beta = Leaf([8], 4, 1f, mean: 4f), weight = Leaf([5, 128], 5, 0.1f);
        var h = Functional.Conv2d(x, filters.To(type), padding: 1);
        h = Functional.BatchNorm(h, null, null, gamma, beta, training: true, residual: residual ? x : null, activation: CnnNative.Engines.ActivationKind.Relu);
        h = Functional.AvgPool2d(h, 2);
        h = Functional.Linear(Functional.Flatten(h), weight.To(type));
        var loss = Functional.CrossEntropy(h.To(DType.Float32), Tensor.From([0L, 3, 1, 4], [4], Device));
        loss.Backward();
        Tensor[] results = [loss, weight.Grad!, gamma.Grad!, beta.Grad!, filters.Grad!];
        Assert.That(results.Select(result => result.DType), Has.All.EqualTo(DType.Float32));
        return Array.ConvertAll(results, result => result.ToArray<float>());
    }

    /// <summary>
    /// LeNet-5 with normalisation, of half the size, all of 16 bits but normalisation, learns four images by heart; its losses are those of
    /// the network in Float32 but for roundings.
    /// </summary>
    [Test]
    public void AModuleTrainsOnHalves([Values(DType.BFloat16, DType.Float16)] DType type, [Values] bool adam)
    {
        var (exact, found) = (Losses(DType.Float32, adam), Losses(type, adam));
        Assert.That(exact[^1], Is.LessThan(exact[0] / 2));
        for (var step = 0; step < exact.Length; step++)
            Assert.That(found[step], Is.EqualTo(exact[step]).Within(8 * Agreement.Epsilon(type) * exact[0]), $"step {step}");
        Assert.That(found, Is.Not.EqualTo(exact), "computed in Float32");
    }

    private float[] Losses(DType type, bool adam)
    {
        var model = new Sequential(
            new Conv2d(1, 6, 5, padding: 2, device: Device), new BatchNorm2d(6, device: Device), new ReLU(), new MaxPool2d(2),
            new Conv2d(6, 16, 5, device: Device), new BatchNorm2d(16, device: Device), new ReLU(), new MaxPool2d(2), new Flatten(),
            new Linear(64, 30, device: Device), new ReLU(), new Linear(30, 21, device: Device), new ReLU(), new Linear(21, 10, device: Device));
        var parameters = model.Parameters();
        for (var i = 0; i < parameters.Count; i++) parameters[i].CopyFrom<float>(Random(parameters[i].Count, 30 + i, -0.3f, 0.3f));
        model.To(type);
        using Optimizer optimizer = adam ? new Adam(model.Parameters(), 0.01f) : new Sgd(model.Parameters(), 0.05f, momentum: 0.9f);
        var losses = new float[15];
        for (var step = 0; step < losses.Length; step++)
        {
            using var scope = Device.Step();
            var x = Tensor.From(Random(4 * 16 * 16, 29, 0f, 1f), [4, 1, 16, 16], Device).To(type);
            var loss = Functional.CrossEntropy(model.Forward(x).To(DType.Float32), Tensor.From([3L, 0, 7, 1], [4], Device));
            loss.Backward();
            optimizer.Step();
            losses[step] = loss.ToArray<float>()[0];
        }

        Assert.That(optimizer.StateDict().Values.Select(state => state.DType), Has.All.Not.EqualTo(DType.BFloat16).And.All.Not.EqualTo(DType.Float16));
        model.DisposeParameters();
        return losses;
    }

    private static double Norm(IEnumerable<float> values) => Math.Sqrt(values.Sum(value => (double)value * value));
}
