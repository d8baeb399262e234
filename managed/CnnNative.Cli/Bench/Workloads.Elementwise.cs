using CnnNative.Engines;

namespace CnnNative.Cli.Bench;

/// <content>What goes through memory in order, and optimizers.</content>
internal sealed partial class Workloads
{
    /// <summary>Elements that dropout of channels drops together.</summary>
    private const int PixelsOfChannel = 32 * 32;

    private static readonly (ActivationKind Kind, string Name)[] Activations =
        [(ActivationKind.Relu, "ReLU"), (ActivationKind.Relu6, "ReLU6"), (ActivationKind.Sigmoid, "sigmoid"), (ActivationKind.Tanh, "tanh")];

    private IEnumerable<Workload> Elementwise(ElementwiseShape s)
    {
        Shape shape = [s.Count];
        double pass = size * (double)s.Count;
        var stream = generator.Next();
        yield return Make($"add, {s.Name}", 3 * pass, 0, device =>
        {
            var (a, b, y) = (Random(shape, device), Random(shape, device), Empty(shape, device));
            return new(y, () => device.Engine.Elementwise.Add(a, b, y), a, b);
        });
        foreach (var (kind, name) in Activations)
        {
            yield return Make($"{name} forward, {s.Name}", 2 * pass, 0, device =>
            {
                var (x, y) = (Random(shape, device), Empty(shape, device));
                return new(y, () => device.Engine.Activation.Forward(kind, x, y), x);
            });
            yield return Make($"{name} backward, {s.Name}", 3 * pass, 0, device =>
            {
                var (y, dy, dx) = (Random(shape, device), Random(shape, device), Empty(shape, device));
                return new(dx, () => device.Engine.Activation.Backward(kind, y, dy, dx), y, dy);
            });
        }

        yield return Make($"dropout, {s.Name}", 2 * pass, 0, device =>
        {
            var (x, y) = (Random(shape, device), Empty(shape, device));
            return new(y, () => device.Engine.Dropout.Apply(x, 0.5f, 1, stream, y), x);
        });
        yield return Make($"dropout of channels, {s.Name}", 2 * pass, 0, device =>
        {
            var (x, y) = (Random(shape, device), Empty(shape, device));
            return new(y, () => device.Engine.Dropout.Apply(x, 0.5f, PixelsOfChannel, stream, y), x);
        });
        yield return Make($"sum, {s.Name}", pass, 0, device =>
        {
            var (x, y) = (Random(shape, device), Empty([1], device));
            return new(y, () => device.Engine.Elementwise.Sum(x, y), x);
        });
        yield return Make($"gradient norm, {s.Name}", pass, 0, device =>
        {
            var (gradient, norm) = (Random(shape, device), Statistics([1], device));
            return new(norm, () => device.Engine.Optimizer.GradientNorm([gradient], NormOrder.Two, norm), gradient);
        });
        if (!IsFloat32) yield break;
        yield return Make($"SGD with momentum, {s.Name}", 5 * pass, 0, device =>
        {
            var (w, gradient, velocity) = (Random(shape, device), Random(shape, device), Random(shape, device));
            var settings = new SgdSettings(1e-6f, 0.9f, 0, 0, Nesterov: false, First: false);
            return new(w, () => device.Engine.Optimizer.Sgd([new SgdSlot(w, gradient, velocity)], settings), gradient, velocity) { IsInPlace = true };
        });
        yield return Make($"Adam, {s.Name}", 7 * pass, 0, device =>
        {
            var (w, gradient, mean, square) = (Random(shape, device), Random(shape, device), Random(shape, device), Tensor.Ones(shape, device));
            var settings = new AdamSettings(1e-6f, 0.9f, 0.999f, 1e-8f, 0, Step: 10);
            return new(w, () => device.Engine.Optimizer.Adam([new AdamSlot(w, gradient, mean, square)], settings), gradient, mean, square) { IsInPlace = true };
        });
    }
}
