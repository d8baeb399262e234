using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>
/// Whole networks whose images, parameters and gradients are halves, forward and backward through the tape, against the CPU in float on
/// the same rounded numbers. What layers give is rounded there too, so that both sides see the same signs and the same largest pixels;
/// gradients are not. Channels, filters and classes do not come in eights.
/// </summary>
public sealed class HalfNetworkTests : NativeTests
{
    /// <summary>What a chain of roundings may add up to: some ten gradients lie one behind another, off by half a rounding each, independently.</summary>
    private const double Roundings = 2;

    [Test]
    public void LeNet5([Values(DType.BFloat16, DType.Float16)] DType type, [Values] Layout layout) => Agree(type, side =>
    {
        var net = new Network(side, type);
        var x = side.Of(Random(3 * 28 * 28, 1, 0f, 1f), [3, 1, 28, 28], layout);
        x = Functional.MaxPool2d(net.Convolve(x, 6, 5, padding: 2), 2);
        x = Functional.MaxPool2d(net.Convolve(x, 16, 5, padding: 0), 2);
        x = Functional.Flatten(x);
        x = net.Linear(net.Linear(x, 120, ActivationKind.Relu), 84, ActivationKind.Relu);
        return net.Outputs(net.Linear(x, 10, ActivationKind.Identity), [3, 1, 4]);
    });

    [Test]
    public void MyCnn([Values(DType.BFloat16, DType.Float16)] DType type, [Values] Layout layout) => Agree(type, side =>
    {
        var net = new Network(side, type);
        var x = side.Of(Random(2 * 3 * 16 * 16, 2, 0f, 1f), [2, 3, 16, 16], layout);
        foreach (var filters in (int[])[16, 32, 64]) x = Functional.MaxPool2d(net.Convolve(x, filters, 3, padding: 1), 2);
        x = net.Linear(Functional.Flatten(x), 128, ActivationKind.Relu);
        return net.Outputs(net.Linear(x, 10, ActivationKind.Identity), [7, 0]);
    });

    private void Agree(DType type, Func<Side, (string Name, float[] Values)[]> body)
    {
        var (actual, expected) = (On(Cuda, type, body), On(CpuDevice.Shared, type, body));
        for (var i = 0; i < expected.Length; i++)
        {
            var largest = expected[i].Values.Max(Math.Abs);
            Agreement.Within(actual[i].Values, Cast.Double(expected[i].Values), Roundings * Agreement.Epsilon(type) * largest, expected[i].Name);
        }
    }

    private static (string Name, float[] Values)[] On(Device device, DType type, Func<Side, (string Name, float[] Values)[]> body)
    {
        using var scope = device.Step();
        return body(new Side(device, type));
    }

    /// <summary>Layers whose parameters are made as they are met, and what a step leaves in them.</summary>
    private sealed class Network(Side side, DType type)
    {
        private readonly List<(string Name, Tensor Tensor)> parameters = [];

        public Tensor Convolve(Tensor x, int filters, int window, int padding) => Rounded(Functional.Conv2d(
            x, Parameter("w", [filters, x.Shape[1], window, window]), Parameter("b", [filters]), padding: padding, activation: ActivationKind.Relu));

        public Tensor Linear(Tensor x, int outputs, ActivationKind activation) =>
            Rounded(Functional.Linear(x, Parameter("w", [outputs, x.Shape[1]]), Parameter("b", [outputs]), activation));

        /// <summary>Logits, loss, and every gradient.</summary>
        public (string Name, float[] Values)[] Outputs(Tensor logits, long[] labels)
        {
            var loss = Functional.CrossEntropy(logits, side.Labels(labels, [labels.Length]));
            loss.Backward();
            return [("logits", Side.Read(logits)), ("loss", Side.Read(loss)), .. parameters.Select(p => (p.Name, Side.Read(p.Tensor.Grad!)))];
        }

        private Tensor Rounded(Tensor y)
        {
            if (y.DType != type) y.CopyFrom<float>(Array.ConvertAll(y.ToArray<float>(), value => Side.Round(value, type)));
            return y;
        }

        /// <summary>Uniform numbers as far from zero as PyTorch's initial weights: 1 over the root of what an output sums over.</summary>
        private Tensor Parameter(string name, Shape shape)
        {
            var bound = 1f / MathF.Sqrt(Math.Max(1f, shape.Count / shape[0]));
            var parameter = side.Of(Random(shape.Count, 10 + parameters.Count, -bound, bound), shape);
            parameter.RequiresGrad = true;
            parameters.Add(($"gradient of {name}{parameters.Count / 2 + 1}", parameter));
            return parameter;
        }
    }
}
