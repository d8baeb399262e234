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

    private static double Norm(IEnumerable<float> values) => Math.Sqrt(values.Sum(value => (double)value * value));
}
