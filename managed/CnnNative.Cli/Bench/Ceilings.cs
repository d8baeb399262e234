namespace CnnNative.Cli.Bench;

/// <summary>What the chip gives at most, measured in the same run.</summary>
internal sealed class Ceilings
{
    private const int CopyElements = 256 << 20, Side = 8192;

    private readonly Dictionary<Arithmetic, double> operationsPerSecond = [];

    private Ceilings(double bytesPerSecond) => BytesPerSecond = bytesPerSecond;

    /// <summary>Of a copy within the device, bytes read and bytes written counted.</summary>
    public double BytesPerSecond { get; }

    /// <summary>Per arithmetic, of a large product by this project's own kernel: no bound of the chip, but what the chip has shown.</summary>
    public IReadOnlyDictionary<Arithmetic, double> OperationsPerSecond => operationsPerSecond;

    /// <summary>Measures the copy, and a product in each arithmetic.</summary>
    public static Ceilings Measure(CudaDevice device, IEnumerable<Arithmetic> arithmetics)
    {
        var ceilings = new Ceilings(Copy.Bytes / Seconds(device, Copy));
        foreach (var one in arithmetics.Distinct()) ceilings.operationsPerSecond[one] = Product(one).Operations / Seconds(device, Product(one));
        return ceilings;
    }

    /// <summary>The least time for a workload, in seconds.</summary>
    public double Floor(Workload workload) => Math.Max(workload.Bytes / BytesPerSecond, workload.Operations / operationsPerSecond[workload.Arithmetic]);

    private static Workload Copy { get; } = new("copy", 2.0 * CopyElements * sizeof(float), 0, new(DType.Float32), device =>
    {
        var (x, y) = (Random([CopyElements], DType.Float32, device), Tensor.Empty([CopyElements], device: device));
        return new(y, () => device.Engine.Layout.Copy(x, y), x);
    });

    private static Workload Product(Arithmetic arithmetic) => new("product", 3.0 * Side * Side * arithmetic.Type.Size(), 2.0 * Side * Side * Side, arithmetic, device =>
    {
        var type = arithmetic.Type;
        Shape square = [Side, Side];
        var (a, b, c) = (Random(square, type, device), Random(square, type, device), Tensor.Empty(square, type, device));
        return new(c, () => device.Engine.Matrix.Multiply(a, transposeA: false, b, transposeB: false, c), a, b);
    });

    private static Tensor Random(Shape shape, DType type, Device device)
    {
        var tensor = Tensor.Empty(shape, type, device);
        device.Engine.Random.Normal(tensor, 0, 1, new Generator(seed: 7).Next());
        return tensor;
    }

    private static double Seconds(CudaDevice device, Workload workload)
    {
        using var measurement = new Measurement(device, workload);
        measurement.Sample();
        return measurement.MedianSeconds;
    }
}
