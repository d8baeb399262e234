using CnnNative.Engines;

namespace CnnNative.Benchmarks;

/// <summary>Something to measure.</summary>
/// <param name="Name">Name, the same as in bench/peers/pytorch_cpu.py.</param>
/// <param name="Unit">Unit of the rate.</param>
/// <param name="Work">Units of work in one call.</param>
/// <param name="Prepare">Makes the inputs.</param>
internal sealed record Workload(string Name, string Unit, double Work, Func<Prepared> Prepare);

/// <summary>A workload with its inputs.</summary>
internal sealed class Prepared(Action once, params IDisposable[] owned) : IDisposable
{
    public Action Once { get; } = once;

    public void Dispose()
    {
        foreach (var item in owned) item.Dispose();
    }
}

/// <summary>The workloads of the comparison with other libraries on the CPU. Keep in step with bench/peers/pytorch_cpu.py.</summary>
internal static class Workloads
{
    private const int Batch = 64;

    public static IEnumerable<Workload> All(CpuDevice device)
    {
        yield return Sgemm(device, 256);
        yield return Sgemm(device, 1024);
        foreach (var (name, problem) in Convolutions)
        {
            yield return Convolution(device, $"{name} forward", problem, (e, p, x, w, y) => e.Forward(p, x, w, null, ActivationKind.Identity, y));
            yield return Convolution(device, $"{name} dgrad", problem, (e, p, x, w, y) => e.BackwardData(p, y, w, x));
            yield return Convolution(device, $"{name} wgrad", problem, (e, p, x, w, y) => e.BackwardWeight(p, x, y, w));
        }

        yield return Training("LeNet-5 training, batch 64", () => Networks.LeNet5(device), [Batch, 1, 28, 28], device);
        yield return Training("MyCNN training, batch 64", () => Networks.MyCnn(device), [Batch, 3, 32, 32], device);
    }

    public static IEnumerable<(string Name, ConvolutionProblem Problem)> Convolutions =>
    [
        ("3x3 64->64, 56x56, batch 8", Square(8, 64, 56, 64, 3, pad: 1)),
        ("1x1 256->64, 56x56, batch 8", Square(8, 256, 56, 64, 1, pad: 0)),
        ("depthwise 3x3 128, 56x56, batch 8", Square(8, 128, 56, 128, 3, pad: 1, groups: 128)),
        ("LeNet-5 conv1, batch 64", Square(Batch, 1, 28, 6, 5, pad: 2)),
        ("LeNet-5 conv2, batch 64", Square(Batch, 6, 14, 16, 5, pad: 0)),
        ("MyCNN conv1, batch 64", Square(Batch, 3, 32, 16, 3, pad: 1)),
        ("MyCNN conv2, batch 64", Square(Batch, 16, 16, 32, 3, pad: 1)),
        ("MyCNN conv3, batch 64", Square(Batch, 32, 8, 64, 3, pad: 1)),
    ];

    private static ConvolutionProblem Square(int n, int c, int size, int k, int filter, int pad, int groups = 1) => new()
    {
        N = n, C = c, H = size, W = size, K = k, R = filter, S = filter, PadTop = pad, PadBottom = pad, PadLeft = pad, PadRight = pad,
        StrideH = 1, StrideW = 1, DilationH = 1, DilationW = 1, Groups = groups,
    };

    private static Workload Sgemm(CpuDevice device, int n) => new($"sgemm {n}", "GFLOP/s", 2e-9 * n * n * n, () =>
    {
        Tensor a = Tensor.Normal([n, n], device: device), b = Tensor.Normal([n, n], device: device), c = Tensor.Empty([n, n], device: device);
        return new Prepared(() => device.Engine.Matrix.Multiply(a, false, b, false, c), a, b, c);
    });

    private static Workload Convolution(
        CpuDevice device, string name, ConvolutionProblem problem, Action<IConvolution, ConvolutionProblem, Tensor, Tensor, Tensor> pass) =>
        new(name, "GFLOP/s", 2e-9 * problem.MultiplyAdds, () =>
        {
            Tensor x = Tensor.Normal(problem.InputShape, device: device), w = Tensor.Normal(problem.WeightShape, device: device);
            var y = Tensor.Normal(problem.OutputShape, device: device);
            return new Prepared(() => pass(device.Engine.Convolution, problem, x, w, y), x, w, y);
        });

    private static Workload Training(string name, Func<TrainingStep> make, Shape input, CpuDevice device) => new(name, "images/s", Batch, () =>
    {
        var step = make();
        var images = Tensor.Normal(input, device: device);
        var labels = Tensor.From([.. Enumerable.Range(0, Batch).Select(i => (long)i % 10)], [Batch], device);
        return new Prepared(() => step.Run(images, labels), step, images, labels);
    });
}
