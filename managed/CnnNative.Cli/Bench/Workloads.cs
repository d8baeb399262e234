using CnnNative.Cli.Output;
using CnnNative.Engines;

namespace CnnNative.Cli.Bench;

/// <summary>
/// Every kernel of a training step over the shapes of the file, in one data type: float32 in NCHW, types of 16 bits in NHWC, as they
/// are used. Losses and optimizers compute in float32 only.
/// </summary>
/// <param name="shapes">The shapes.</param>
/// <param name="type">Float32, BFloat16 or Float16.</param>
/// <param name="images">Most images or rows per shape: 1 where only correctness is looked at.</param>
internal sealed class Workloads(Shapes shapes, DType type, int images = int.MaxValue)
{
    private readonly Layout layout = type == DType.Float32 ? Layout.Nchw : Layout.Nhwc;
    private readonly int size = type.Size();
    private readonly Generator generator = new(seed: 7);

    private bool IsFloat32 => type == DType.Float32;

    /// <summary>All workloads.</summary>
    public IEnumerable<Workload> All() =>
    [
        .. shapes.Convolutions.SelectMany(shape => Convolution(shape, Math.Min(images, shape.N))),
        .. shapes.MaxPools.SelectMany(shape => MaxPool(shape, Math.Min(images, shape.N))),
        .. shapes.AdaptiveAveragePools.SelectMany(shape => AdaptiveAveragePool(shape, Math.Min(images, shape.N))),
        .. shapes.BatchNorms.SelectMany(shape => BatchNorm(shape, Math.Min(images, shape.N))),
        .. shapes.Elementwise.Select(shape => shape with { Count = images == int.MaxValue ? shape.Count : 1000 }).SelectMany(Elementwise),
        .. shapes.Linears.Select(shape => Linear(shape, Math.Min(images, shape.N))),
        .. IsFloat32 ? shapes.Losses.SelectMany(shape => Loss(shape, Math.Min(images, shape.N))) : [],
    ];

    private Workload Make(string name, double bytes, double operations, Func<Device, WorkloadRun> prepare) =>
        new(IsFloat32 ? name : $"{name}, {Words.Of(type)}", bytes, operations, type, prepare);

    private IEnumerable<Workload> Convolution(ConvolutionShape s, int n)
    {
        var problem = new ConvolutionProblem
        {
            N = n, C = s.C, H = s.H, W = s.W, K = s.K, R = s.R, S = s.S, Groups = s.Groups, StrideH = s.Stride, StrideW = s.Stride,
            DilationH = 1, DilationW = 1, PadTop = s.Pad, PadBottom = s.Pad, PadLeft = s.Pad, PadRight = s.Pad,
        };
        double bytes = size * (problem.InputShape.Count + problem.WeightShape.Count + problem.OutputShape.Count), work = 2.0 * problem.MultiplyAdds;
        yield return Make($"{s.Name} forward", bytes, work, device =>
        {
            var (x, w, y) = (Random(problem.InputShape, device), Random(problem.WeightShape, device), Empty(problem.OutputShape, device));
            return new(y, () => device.Engine.Convolution.Forward(problem, x, w, null, ActivationKind.Identity, y), x, w);
        });
        yield return Make($"{s.Name} dgrad", bytes, work, device =>
        {
            var (dy, w, dx) = (Random(problem.OutputShape, device), Random(problem.WeightShape, device), Empty(problem.InputShape, device));
            return new(dx, () => device.Engine.Convolution.BackwardData(problem, dy, w, dx), dy, w);
        });
        yield return Make($"{s.Name} wgrad", bytes, work, device =>
        {
            var (x, dy, dw) = (Random(problem.InputShape, device), Random(problem.OutputShape, device), Empty(problem.WeightShape, device));
            return new(dw, () => device.Engine.Convolution.BackwardWeight(problem, x, dy, dw), x, dy);
        });
    }

    private IEnumerable<Workload> MaxPool(PoolShape s, int n)
    {
        var problem = new PoolingProblem
        {
            N = n, C = s.C, H = s.H, W = s.W, R = s.R, S = s.R, StrideH = s.Stride, StrideW = s.Stride, PadH = s.Pad, PadW = s.Pad, DilationH = 1, DilationW = 1,
        };
        double bytes = size * problem.InputShape.Count + (size + 1) * problem.OutputShape.Count;
        yield return Make($"{s.Name} forward", bytes, 0, device =>
        {
            var (x, y, places) = (Random(problem.InputShape, device), Empty(problem.OutputShape, device), Places(problem.OutputShape, problem.ArgumentType, device));
            return new(y, () => device.Engine.Pooling.MaxForward(problem, x, y, places), x, places);
        });
        yield return Make($"{s.Name} backward", bytes, 0, device =>
        {
            var (x, y, places) = (Random(problem.InputShape, device), Empty(problem.OutputShape, device), Places(problem.OutputShape, problem.ArgumentType, device));
            var (dy, dx) = (Random(problem.OutputShape, device), Empty(problem.InputShape, device));
            device.Engine.Pooling.MaxForward(problem, x, y, places);
            return new(dx, () => device.Engine.Pooling.MaxBackward(problem, dy, places, dx), x, y, places, dy);
        });
    }

    private IEnumerable<Workload> AdaptiveAveragePool(AdaptivePoolShape s, int n)
    {
        var problem = new AdaptivePoolingProblem { N = n, C = s.C, H = s.H, W = s.W, P = s.P, Q = s.Q };
        double bytes = size * (problem.InputShape.Count + problem.OutputShape.Count);
        yield return Make($"{s.Name} forward", bytes, 0, device =>
        {
            var (x, y) = (Random(problem.InputShape, device), Empty(problem.OutputShape, device));
            return new(y, () => device.Engine.Pooling.AdaptiveAverageForward(problem, x, y), x);
        });
        yield return Make($"{s.Name} backward", bytes, 0, device =>
        {
            var (dy, dx) = (Random(problem.OutputShape, device), Empty(problem.InputShape, device));
            return new(dx, () => device.Engine.Pooling.AdaptiveAverageBackward(problem, dy, dx), dy);
        });
    }

    private IEnumerable<Workload> BatchNorm(NormShape s, int n)
    {
        Shape shape = [n, s.C, s.H, s.W], channels = [s.C];
        double pass = size * shape.Count;
        const float eps = 1e-5f;
        // x is read twice, for the statistics and for the map, unless it stays on the chip.
        yield return Make($"{s.Name} forward", 3 * pass, 0, device =>
        {
            var (x, y, gamma, beta) = (Random(shape, device), Empty(shape, device), Parameter(channels, device), Parameter(channels, device));
            var (mean, deviation) = (Statistics(channels, device), Statistics(channels, device));
            return new(y, () => device.Engine.Normalization.BatchForward(x, gamma, beta, eps, y, mean, deviation), x, gamma, beta, mean, deviation);
        });
        yield return Make($"{s.Name} backward", 5 * pass, 0, device =>
        {
            var (x, dy, dx, gamma) = (Random(shape, device), Random(shape, device), Empty(shape, device), Parameter(channels, device));
            var (mean, deviation) = (Parameter(channels, device), Tensor.Ones(channels, device));
            var (dgamma, dbeta) = (Statistics(channels, device), Statistics(channels, device));
            return new(
                dx, () => device.Engine.Normalization.BatchBackward(x, dy, gamma, mean, deviation, batchStatistics: true, dx, dgamma, dbeta),
                x, dy, gamma, mean, deviation, dgamma, dbeta);
        });
    }

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
        yield return Make($"ReLU forward, {s.Name}", 2 * pass, 0, device =>
        {
            var (x, y) = (Random(shape, device), Empty(shape, device));
            return new(y, () => device.Engine.Activation.Forward(ActivationKind.Relu, x, y), x);
        });
        yield return Make($"ReLU backward, {s.Name}", 3 * pass, 0, device =>
        {
            var (y, dy, dx) = (Random(shape, device), Random(shape, device), Empty(shape, device));
            return new(dx, () => device.Engine.Activation.Backward(ActivationKind.Relu, y, dy, dx), y, dy);
        });
        yield return Make($"dropout, {s.Name}", 2 * pass, 0, device =>
        {
            var (x, y) = (Random(shape, device), Empty(shape, device));
            return new(y, () => device.Engine.Dropout.Apply(x, 0.5f, 1, stream, y), x);
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

    private Workload Linear(LinearShape s, int n) =>
        Make($"{s.Name} forward", size * ((double)n * s.In + (double)s.In * s.Out + (double)n * s.Out), 2.0 * n * s.In * s.Out, device =>
        {
            var (x, w, bias, y) = (Random([n, s.In], device), Random([s.Out, s.In], device), Random([s.Out], device), Empty([n, s.Out], device));
            return new(y, () => device.Engine.Matrix.LinearForward(x, w, bias, ActivationKind.Identity, y), x, w, bias);
        });

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
            var (probabilities, labels, dloss, dx) = (Tensor.Full(shape, 1f / s.C, device), Labels(s, n, device), Tensor.Ones([1], device), Empty(shape, device));
            var divisor = Tensor.Full([1], n, device);
            return new(
                dx, () => device.Engine.Loss.CrossEntropyBackward(probabilities, labels, null, settings, divisor, dloss, dx), probabilities, labels, divisor, dloss);
        });
    }

    private Tensor Random(Shape shape, Device device)
    {
        var tensor = Empty(shape, device);
        device.Engine.Random.Normal(tensor, 0, 1, generator.Next());
        return tensor;
    }

    /// <summary>Images in the layout that is measured; what has no rows and columns is NCHW always.</summary>
    private Tensor Empty(Shape shape, Device device) => Tensor.Empty(shape, type, device, shape.Rank == 4 ? layout : Layout.Nchw);

    private Tensor Places(Shape shape, DType positions, Device device) => Tensor.Empty(shape, positions, device, layout);

    private static Tensor Parameter(Shape shape, Device device) => Tensor.Normal(shape, device: device);

    private static Tensor Statistics(Shape shape, Device device) => Tensor.Empty(shape, DType.Float32, device);

    private static Tensor Labels(LossShape s, int n, Device device)
    {
        var labels = new long[n];
        for (var i = 0; i < n; i++) labels[i] = i * 7919L % s.C;
        return Tensor.From(labels, [n], device);
    }
}
