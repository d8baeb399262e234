namespace CnnNative.Cli.Bench;

/// <summary>
/// Every kernel of a training step over the shapes of the file, in one data type and the layout in which it is used; in the other layout
/// what works on images, and in tf32 what matrix units take. Optimizers and gradient norms are measured in float32 only.
/// </summary>
/// <param name="shapes">The shapes.</param>
/// <param name="variant">Data type and layout.</param>
/// <param name="images">Most images or rows per shape: 1 where only correctness is looked at.</param>
/// <param name="elements">Most elements of what has no images.</param>
internal sealed partial class Workloads(Shapes shapes, Variant variant, int images = int.MaxValue, int elements = int.MaxValue)
{
    private readonly DType type = variant.Arithmetic.Type;
    private readonly Layout layout = variant.Layout;
    private readonly int size = variant.Arithmetic.Type.Size();
    private readonly Generator generator = new(seed: 7);

    private bool IsFloat32 => type == DType.Float32;

    /// <summary>All workloads.</summary>
    public IEnumerable<Workload> All()
    {
        if (variant.Arithmetic.IsTf32) return OfMatrixUnits();
        return variant.IsUsual ? OfImages().Concat(OfOthers()) : OfImages();
    }

    private IEnumerable<Workload> OfMatrixUnits() => shapes.Convolutions.Where(TakesTf32).SelectMany(shape => Convolution(shape, Math.Min(images, shape.N)));

    private IEnumerable<Workload> OfImages() =>
    [
        .. shapes.Convolutions.SelectMany(shape => Convolution(shape, Math.Min(images, shape.N)).Concat(Columns(shape, Math.Min(images, shape.N)))),
        .. shapes.Pools.SelectMany(shape => Pool(shape, Math.Min(images, shape.N))),
        .. shapes.AdaptiveAveragePools.SelectMany(shape => AdaptiveAveragePool(shape, Math.Min(images, shape.N))),
        .. shapes.BatchNorms.SelectMany(shape => BatchNorm(shape, Math.Min(images, shape.N))),
    ];

    private IEnumerable<Workload> OfOthers() =>
    [
        .. shapes.Elementwise.Select(shape => shape with { Count = Math.Min(elements, shape.Count) }).SelectMany(shape => Elementwise(shape).Concat(Movement(shape))),
        .. shapes.Linears.SelectMany(shape => Linear(shape, Math.Min(images, shape.N))),
        .. shapes.Losses.SelectMany(shape => Loss(shape, Math.Min(images, shape.N))),
    ];

    private Workload Make(string name, double bytes, double operations, Func<Device, WorkloadRun> prepare) =>
        new(name + variant.Suffix, bytes, operations, variant.Arithmetic, prepare);

    private Tensor Random(Shape shape, Device device)
    {
        var tensor = Empty(shape, device);
        device.Engine.Random.Normal(tensor, 0, 1, generator.Next());
        return tensor;
    }

    /// <summary>Images in the layout that is measured; what has no rows and columns is NCHW always.</summary>
    private Tensor Empty(Shape shape, Device device) => Tensor.Empty(shape, type, device, shape.Rank == 4 ? layout : Layout.Nchw);

    private Tensor Full(Shape shape, float value, Device device)
    {
        var tensor = Empty(shape, device);
        device.Engine.Elementwise.Fill(tensor, value);
        return tensor;
    }

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
