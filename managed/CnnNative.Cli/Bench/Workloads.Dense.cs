using CnnNative.Engines;

namespace CnnNative.Cli.Bench;

/// <content>Products, scores and losses.</content>
internal sealed partial class Workloads
{
    private IEnumerable<Workload> Linear(LinearShape s, int n)
    {
        double bytes = size * ((double)n * s.In + (double)s.In * s.Out + (double)n * s.Out), work = 2.0 * n * s.In * s.Out;
        yield return Make($"{s.Name} forward", bytes, work, device =>
        {
            var (x, w, bias, y) = (Random([n, s.In], device), Random([s.Out, s.In], device), Random([s.Out], device), Empty([n, s.Out], device));
            return new(y, () => device.Engine.Matrix.LinearForward(x, w, bias, ActivationKind.Identity, y), x, w, bias);
        });
        yield return Make($"{s.Name} dgrad", bytes, work, device =>
        {
            var (dy, w, dx) = (Random([n, s.Out], device), Random([s.Out, s.In], device), Empty([n, s.In], device));
            return new(dx, () => device.Engine.Matrix.Multiply(dy, false, w, false, dx), dy, w);
        });
        yield return Make($"{s.Name} wgrad", bytes, work, device =>
        {
            var (dy, x, dw) = (Random([n, s.Out], device), Random([n, s.In], device), Empty([s.Out, s.In], device));
            return new(dw, () => device.Engine.Matrix.Multiply(dy, true, x, false, dw), dy, x);
        });
        yield return Make($"{s.Name} bias gradient", size * (double)n * s.Out, 0, device =>
        {
            var (dy, db) = (Random([n, s.Out], device), Empty([s.Out], device));
            return new(db, () => device.Engine.Matrix.SumRows(dy, db), dy);
        });
    }

    private IEnumerable<Workload> Loss(LossShape s, int n)
    {
        Shape shape = [n, s.C];
        var settings = new CrossEntropySettings(Reduction.Mean, 0, -100);
        double pass = size * shape.Count;
        yield return Make($"{s.Name} forward", 2 * pass, 0, device =>
        {
            var (x, labels, probabilities, loss) = (Random(shape, device), Labels(s, n, device), Empty(shape, device), Empty([1], device));
            var divisor = Statistics([1], device);
            return new(loss, () => device.Engine.Loss.CrossEntropyForward(x, labels, null, settings, probabilities, loss, divisor), x, labels, probabilities, divisor);
        });
        yield return Make($"{s.Name} backward", 2 * pass, 0, device =>
        {
            var (probabilities, labels, dloss, dx) = (Full(shape, 1f / s.C, device), Labels(s, n, device), Full([1], 1f, device), Empty(shape, device));
            var divisor = Tensor.Full([1], n, device);
            return new(
                dx, () => device.Engine.Loss.CrossEntropyBackward(probabilities, labels, null, settings, divisor, dloss, dx), probabilities, labels, divisor, dloss);
        });
        yield return Make($"softmax of {s.Name} forward", 2 * pass, 0, device =>
        {
            var (x, y) = (Random(shape, device), Empty(shape, device));
            return new(y, () => device.Engine.Activation.SoftmaxForward(x, 1, logarithm: false, y), x);
        });
        yield return Make($"softmax of {s.Name} backward", 3 * pass, 0, device =>
        {
            var (y, dy, dx) = (Random(shape, device), Random(shape, device), Empty(shape, device));
            return new(dx, () => device.Engine.Activation.SoftmaxBackward(y, dy, 1, logarithm: false, dx), y, dy);
        });
    }
}
