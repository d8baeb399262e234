using CnnNative.Cli.Output;
using CnnNative.Engines;

namespace CnnNative.Cli.Bench;

/// <content>What only moves or changes its form.</content>
internal sealed partial class Workloads
{
    /// <summary>Images as large as the elements that are asked for, of 64 channels and 32 rows.</summary>
    private IEnumerable<Workload> Movement(ElementwiseShape s)
    {
        const int channels = 64, rows = 32;
        Shape shape = [Math.Max(1, s.Count / (channels * rows * rows)), channels, rows, rows], flat = [s.Count];
        double pass = size * shape.Count;
        var (from, to) = IsFloat32 ? (Layout.Nchw, Layout.Nhwc) : (Layout.Nhwc, Layout.Nchw);
        yield return Make($"other layout, {s.Name}", 2 * pass, 0, device =>
        {
            var (x, y) = (Random(shape, device), Tensor.Empty(shape, type, device, to));
            return new(y, () => device.Engine.Layout.Copy(x, y), x);
        });
        // Half of the channels of each image, which come behind another half; the other half of the result stays as it was.
        yield return Make($"concatenation, {s.Name}", pass, 0, device =>
        {
            Shape half = [shape[0], channels / 2, rows, rows];
            var (x, y) = (Random(half, device), Full(shape, 0f, device));
            long length = from == Layout.Nchw ? channels / 2 * rows * rows : channels / 2;
            var blocks = new BlockCopy(half.Count / length, length, 0, length, length, 2 * length);
            return new(y, () => device.Engine.Layout.CopyBlocks(x, y, blocks), x) { IsInPlace = true };
        });
        var other = IsFloat32 ? DType.BFloat16 : DType.Float32;
        yield return Make($"cast to {Words.Of(other)}, {s.Name}", (size + other.Size()) * (double)s.Count, 0, device =>
        {
            var (x, y) = (Random(flat, device), Tensor.Empty(flat, other, device));
            return new(y, () => device.Engine.Elementwise.Cast(x, y), x);
        });
    }
}
