using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Interop;

namespace CnnNative.Cli.Bench;

/// <content>Convolutions: every pass, what is fused to the forward one, and the copies of the explicit way.</content>
internal sealed partial class Workloads
{
    /// <summary>Bytes of columns at once, as the explicit way takes them.</summary>
    private const long MostColumnBytes = 256L << 20;

    private static ConvolutionProblem Problem(ConvolutionShape s, int n) => new()
    {
        N = n, C = s.C, H = s.H, W = s.W, K = s.K, R = s.R, S = s.S, Groups = s.Groups, StrideH = s.Stride, StrideW = s.Stride,
        DilationH = 1, DilationW = 1, PadTop = s.Pad, PadBottom = s.Pad, PadLeft = s.Pad, PadRight = s.Pad,
    };

    /// <summary>Whether matrix units take every pass in tf32.</summary>
    private static bool TakesTf32(ConvolutionShape s) => MmaConvolution.ReadsUnits(Problem(s, 1), ConvolutionPass.BackwardWeight, DType.Float32, Layout.Nhwc, Layout.Nhwc);

    private IEnumerable<Workload> Convolution(ConvolutionShape s, int n)
    {
        var problem = Problem(s, n);
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
        yield return Make($"{s.Name} with bias and ReLU", bytes, work, device =>
        {
            var (x, w, bias, y) = (Random(problem.InputShape, device), Random(problem.WeightShape, device), Random([s.K], device), Empty(problem.OutputShape, device));
            return new(y, () => device.Engine.Convolution.Forward(problem, x, w, bias, ActivationKind.Relu, y), x, w, bias);
        });
        if (variant.Arithmetic.IsTf32) yield break;
        yield return Make($"{s.Name} bias gradient", size * problem.OutputShape.Count, 0, device =>
        {
            var (dy, db) = (Random(problem.OutputShape, device), Empty([s.K], device));
            return new(db, () => device.Engine.Convolution.BackwardBias(dy, db), dy);
        });
    }

    /// <summary>The patches of so many images as the explicit way takes at once, and the sums over them; windows of one pixel need neither.</summary>
    private IEnumerable<Workload> Columns(ConvolutionShape s, int n)
    {
        if (s.Groups > 1 || s.R * s.S == 1) yield break;
        var one = Problem(s, 1);
        long length = (long)s.C * s.R * s.S, pixels = (long)one.P * one.Q;
        var problem = Problem(s, (int)Math.Clamp(MostColumnBytes / (length * pixels * size), 1, n));
        Shape shape = layout == Layout.Nhwc ? [problem.N, (int)pixels, (int)length] : [problem.N, (int)length, (int)pixels];
        double bytes = size * (problem.InputShape.Count + shape.Count);
        yield return Make($"{s.Name} im2col", bytes, 0, device =>
        {
            var (x, columns) = (Random(problem.InputShape, device), Empty(shape, device));
            return new(columns, () => OnDevice(device, x, columns, (way, from, to) => way.Im2col(problem, layout, from, to)), x);
        });
        yield return Make($"{s.Name} col2im", bytes, 0, device =>
        {
            var (columns, dx) = (Random(shape, device), Empty(problem.InputShape, device));
            return new(dx, () => OnDevice(device, columns, dx, (way, from, to) => way.Col2im(problem, layout, from, to)), columns);
        });
    }

    private void OnDevice(Device device, Tensor source, Tensor target, Action<ColumnConvolution, DevicePointer, DevicePointer> copy)
    {
        var context = ((NativeEngine)device.Engine).Context;
        using DeviceView from = source.OnDevice(), to = target.OnDevice();
        copy(new(context, NativeGemm.For(context, type)), from, to);
    }
}
