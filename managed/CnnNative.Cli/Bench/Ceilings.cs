namespace CnnNative.Cli.Bench;

/// <summary>What the chip gives at most, measured in the same run.</summary>
/// <param name="BytesPerSecond">Of a copy within the device, bytes read and bytes written counted.</param>
/// <param name="OperationsPerSecond">Of a large float32 product by this project's own kernel: no bound of the chip, but what the chip has shown.</param>
internal sealed record Ceilings(double BytesPerSecond, double OperationsPerSecond)
{
    private const int CopyElements = 256 << 20, Side = 8192;

    /// <summary>Measures both.</summary>
    public static Ceilings Measure(CudaDevice device)
    {
        Shape copied = [CopyElements], square = [Side, Side];
        var copy = new Workload("copy", 2.0 * CopyElements * sizeof(float), 0, d =>
        {
            var (x, y) = (Tensor.Normal(copied, device: d), Tensor.Empty(copied, device: d));
            return new(y, () => d.Engine.Layout.Copy(x, y), x);
        });
        var product = new Workload("product", 3.0 * Side * Side * sizeof(float), 2.0 * Side * Side * Side, d =>
        {
            var (a, b, c) = (Tensor.Normal(square, device: d), Tensor.Normal(square, device: d), Tensor.Empty(square, device: d));
            return new(c, () => d.Engine.Matrix.Multiply(a, transposeA: false, b, transposeB: false, c), a, b);
        });
        return new(copy.Bytes / Measurement.Seconds(device, copy), product.Operations / Measurement.Seconds(device, product));
    }

    /// <summary>The least time for a workload, in seconds.</summary>
    public double Floor(Workload workload) => Math.Max(workload.Bytes / BytesPerSecond, workload.Operations / OperationsPerSecond);
}
