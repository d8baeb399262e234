namespace CnnNative.Tests.Engines.Native;

/// <summary>
/// One of the two sides of a comparison: a device, and the type of its elements. Inputs are rounded to that type on both sides; the
/// CPU, which knows Float32 only, computes with the rounded numbers.
/// </summary>
public sealed class Side(Device device, DType type)
{
    public Device Device => device;

    private DType Stored => device is CpuDevice ? DType.Float32 : type;

    /// <summary>An input in a layout, from elements in NCHW order.</summary>
    public Tensor Of(float[] values, Shape shape, Layout layout = Layout.Nchw)
    {
        using var source = Tensor.From(Array.ConvertAll(values, value => Round(value, type)), shape, device);
        var rounded = source.ToLayout(layout);
        if (Stored == DType.Float32) return rounded;
        using (rounded) return rounded.To(Stored);
    }

    /// <summary>Weights and statistics, which are Float32 everywhere.</summary>
    public Tensor Float(float[] values) => Tensor.From(values, [values.Length], device);

    public Tensor Labels(long[] values, Shape shape) => Tensor.From(values, shape, device);

    public Tensor Empty(Shape shape, Layout layout = Layout.Nchw) => Tensor.Empty(shape, Stored, device, layout);

    public Tensor EmptyFloat(int count) => Tensor.Empty([count], DType.Float32, device);

    /// <summary>The elements in NCHW order.</summary>
    public static float[] Read(Tensor tensor) => tensor.To(DType.Float32).ToLayout(Layout.Nchw).ToArray<float>();

    /// <summary>The nearest number of a type, ties to even.</summary>
    public static float Round(float value, DType type)
    {
        if (type == DType.Float32 || float.IsNaN(value)) return value;
        if (type == DType.Float16) return (float)(Half)value;
        var bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000);
    }
}
