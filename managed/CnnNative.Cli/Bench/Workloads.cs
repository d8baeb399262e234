using CnnNative.Engines;

namespace CnnNative.Cli.Bench;

/// <summary>Every kernel of a training step over the shapes of the file, in float32.</summary>
internal static class Workloads
{
    private const int Float = sizeof(float);

    /// <summary>All workloads.</summary>
    /// <param name="shapes">The shapes.</param>
    /// <param name="images">Most images or rows per shape: 1 where only correctness is looked at.</param>
    public static IEnumerable<Workload> All(Shapes shapes, int images = int.MaxValue) =>
    [
        .. shapes.Convolutions.SelectMany(shape => Convolution(shape, Math.Min(images, shape.N))),
        .. shapes.MaxPools.SelectMany(shape => MaxPool(shape, Math.Min(images, shape.N))),
        .. shapes.BatchNorms.SelectMany(shape => BatchNorm(shape, Math.Min(images, shape.N))),
        .. shapes.Elementwise.SelectMany(shape => Elementwise(shape with { Count = images == int.MaxValue ? shape.Count : 1000 })),
        .. shapes.Linears.Select(shape => Linear(shape, Math.Min(images, shape.N))),
        .. shapes.Losses.SelectMany(shape => Loss(shape, Math.Min(images, shape.N))),
    ];

    private static IEnumerable<Workload> Convolution(ConvolutionShape s, int n)
    {
        var problem = new ConvolutionProblem
        {
            N = n, C = s.C, H = s.H, W = s.W, K = s.K, R = s.R, S = s.S, Groups = s.Groups, StrideH = s.Stride, StrideW = s.Stride,
            DilationH = 1, DilationW = 1, PadTop = s.Pad, PadBottom = s.Pad, PadLeft = s.Pad, PadRight = s.Pad,
        };
        double bytes = Float * (problem.InputShape.Count + problem.WeightShape.Count + problem.OutputShape.Count), work = 2.0 * problem.MultiplyAdds;
        yield return new($"{s.Name} forward", bytes, work, device =>
        {
            var (x, w, y) = (Random(problem.InputShape, device), Random(problem.WeightShape, device), Empty(problem.OutputShape, device));
            return new(y, () => device.Engine.Convolution.Forward(problem, x, w, null, ActivationKind.Identity, y), x, w);
        });
        yield return new($"{s.Name} dgrad", bytes, work, device =>
        {
            var (dy, w, dx) = (Random(problem.OutputShape, device), Random(problem.WeightShape, device), Empty(problem.InputShape, device));
            return new(dx, () => device.Engine.Convolution.BackwardData(problem, dy, w, dx), dy, w);
        });
        yield return new($"{s.Name} wgrad", bytes, work, device =>
        {
            var (x, dy, dw) = (Random(problem.InputShape, device), Random(problem.OutputShape, device), Empty(problem.WeightShape, device));
            return new(dw, () => device.Engine.Convolution.BackwardWeight(problem, x, dy, dw), x, dy);
        });
    }

    private static IEnumerable<Workload> MaxPool(PoolShape s, int n)
    {
        var problem = new PoolingProblem
        {
            N = n, C = s.C, H = s.H, W = s.W, R = s.R, S = s.R, StrideH = s.Stride, StrideW = s.Stride, PadH = s.Pad, PadW = s.Pad, DilationH = 1, DilationW = 1,
        };
        double bytes = Float * problem.InputShape.Count + (Float + 1) * problem.OutputShape.Count;
        yield return new($"{s.Name} forward", bytes, 0, device =>
        {
            var (x, y, places) = (Random(problem.InputShape, device), Empty(problem.OutputShape, device), Empty(problem.OutputShape, device, problem.ArgumentType));
            return new(y, () => device.Engine.Pooling.MaxForward(problem, x, y, places), x, places);
        });
        yield return new($"{s.Name} backward", bytes, 0, device =>
        {
            var (x, y, places) = (Random(problem.InputShape, device), Empty(problem.OutputShape, device), Empty(problem.OutputShape, device, problem.ArgumentType));
            var (dy, dx) = (Random(problem.OutputShape, device), Empty(problem.InputShape, device));
            device.Engine.Pooling.MaxForward(problem, x, y, places);
            return new(dx, () => device.Engine.Pooling.MaxBackward(problem, dy, places, dx), x, y, places, dy);
        });
    }

    private static IEnumerable<Workload> BatchNorm(NormShape s, int n)
    {
        Shape shape = [n, s.C, s.H, s.W], channels = [s.C];
        double pass = Float * shape.Count;
        const float eps = 1e-5f;
        // x is read twice, for the statistics and for the map, unless it stays on the chip.
        yield return new($"{s.Name} forward", 3 * pass, 0, device =>
        {
            var (x, y, gamma, beta) = (Random(shape, device), Empty(shape, device), Random(channels, device), Random(channels, device));
            var (mean, deviation) = (Empty(channels, device), Empty(channels, device));
            return new(y, () => device.Engine.Normalization.BatchForward(x, gamma, beta, eps, y, mean, deviation), x, gamma, beta, mean, deviation);
        });
        yield return new($"{s.Name} backward", 5 * pass, 0, device =>
        {
            var (x, dy, dx, gamma) = (Random(shape, device), Random(shape, device), Empty(shape, device), Random(channels, device));
            var (mean, deviation) = (Random(channels, device), Tensor.Ones(channels, device));
            var (dgamma, dbeta) = (Empty(channels, device), Empty(channels, device));
            return new(
                dx, () => device.Engine.Normalization.BatchBackward(x, dy, gamma, mean, deviation, batchStatistics: true, dx, dgamma, dbeta),
                x, dy, gamma, mean, deviation, dgamma, dbeta);
        });
    }

    private static IEnumerable<Workload> Elementwise(ElementwiseShape s)
    {
        Shape shape = [s.Count];
        double pass = Float * (double)s.Count;
        var stream = new Generator(seed: 7).Next();
        yield return new($"add, {s.Name}", 3 * pass, 0, device =>
        {
            var (a, b, y) = (Random(shape, device), Random(shape, device), Empty(shape, device));
            return new(y, () => device.Engine.Elementwise.Add(a, b, y), a, b);
        });
        yield return new($"ReLU forward, {s.Name}", 2 * pass, 0, device =>
        {
            var (x, y) = (Random(shape, device), Empty(shape, device));
            return new(y, () => device.Engine.Activation.Forward(ActivationKind.Relu, x, y), x);
        });
        yield return new($"ReLU backward, {s.Name}", 3 * pass, 0, device =>
        {
            var (y, dy, dx) = (Random(shape, device), Random(shape, device), Empty(shape, device));
            return new(dx, () => device.Engine.Activation.Backward(ActivationKind.Relu, y, dy, dx), y, dy);
        });
        yield return new($"dropout, {s.Name}", 2 * pass, 0, device =>
        {
            var (x, y) = (Random(shape, device), Empty(shape, device));
            return new(y, () => device.Engine.Dropout.Apply(x, 0.5f, 1, stream, y), x);
        });
        yield return new($"SGD with momentum, {s.Name}", 5 * pass, 0, device =>
        {
            var (w, gradient, velocity) = (Random(shape, device), Random(shape, device), Random(shape, device));
            var settings = new SgdSettings(1e-6f, 0.9f, 0, 0, Nesterov: false, First: false);
            return new(w, () => device.Engine.Optimizer.Sgd([new SgdSlot(w, gradient, velocity)], settings), gradient, velocity) { IsInPlace = true };
        });
        yield return new($"Adam, {s.Name}", 7 * pass, 0, device =>
        {
            var (w, gradient, mean, square) = (Random(shape, device), Random(shape, device), Random(shape, device), Tensor.Ones(shape, device));
            var settings = new AdamSettings(1e-6f, 0.9f, 0.999f, 1e-8f, 0, Step: 10);
            return new(w, () => device.Engine.Optimizer.Adam([new AdamSlot(w, gradient, mean, square)], settings), gradient, mean, square) { IsInPlace = true };
        });
    }

    private static Workload Linear(LinearShape s, int n) =>
        new($"{s.Name} forward", Float * ((double)n * s.In + (double)s.In * s.Out + (double)n * s.Out), 2.0 * n * s.In * s.Out, device =>
        {
            var (x, w, bias, y) = (Random([n, s.In], device), Random([s.Out, s.In], device), Random([s.Out], device), Empty([n, s.Out], device));
            return new(y, () => device.Engine.Matrix.LinearForward(x, w, bias, ActivationKind.Identity, y), x, w, bias);
        });

    private static IEnumerable<Workload> Loss(LossShape s, int n)
    {
        Shape shape = [n, s.C];
        var settings = new CrossEntropySettings(Reduction.Mean, 0, -100);
        double pass = Float * shape.Count;
        yield return new($"{s.Name} forward", 2 * pass, 0, device =>
        {
            var (x, labels, probabilities, loss) = (Random(shape, device), Labels(s, n, device), Empty(shape, device), Empty([1], device));
            return new(loss, () => device.Engine.Loss.CrossEntropyForward(x, labels, null, settings, probabilities, loss), x, labels, probabilities);
        });
        yield return new($"{s.Name} backward", 2 * pass, 0, device =>
        {
            var (probabilities, labels, dloss, dx) = (Tensor.Full(shape, 1f / s.C, device), Labels(s, n, device), Tensor.Ones([1], device), Empty(shape, device));
            return new(dx, () => device.Engine.Loss.CrossEntropyBackward(probabilities, labels, null, settings, dloss, dx), probabilities, labels, dloss);
        });
    }

    private static Tensor Random(Shape shape, Device device) => Tensor.Normal(shape, device: device);

    private static Tensor Empty(Shape shape, Device device, DType type = DType.Float32) => Tensor.Empty(shape, type, device);

    private static Tensor Labels(LossShape s, int n, Device device)
    {
        var labels = new long[n];
        for (var i = 0; i < n; i++) labels[i] = i * 7919L % s.C;
        return Tensor.From(labels, [n], device);
    }
}
