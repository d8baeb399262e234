using System.Collections.Concurrent;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Depthwise convolution: every channel is convolved with filters of its own. Filters are (K, R, S) in any layout. Work is divided for so
/// many multiprocessors.
/// </summary>
internal sealed class DepthwiseConvolution(NativeContext context, int multiprocessors)
{
    /// <summary>Blocks of 128 threads that keep a multiprocessor busy while each waits for its own loads.</summary>
    private const int SumBlocksPerMultiprocessor = 8;

    /// <summary>How planes were divided before: where their banks lie takes longer to find than a launch.</summary>
    private readonly ConcurrentDictionary<(DepthwiseShape Shape, PaddingMode Mode, bool IsWide), DepthwisePlanes> plans = new();

    private long ThreadsOfDevice => (long)multiprocessors * context.Info.MaxThreadsPerMultiprocessor;

    /// <summary>y = clamp(x * w + bias).</summary>
    public void Forward(in ConvolutionProblem p, DType type, Placed x, Placed w, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        var geometry = Whole(ConvGeometry.Forward(p, x.Layout, y.Layout), p);
        if (DepthwiseShape.Fits(p) && TryForward(DepthwiseShape.Of(ConvolutionPass.Forward, p, type), geometry, x, w, 1, bias, epilogue, y)) return;
        var strips = DepthwiseStrips.Cut(p.N, p.K, p.P, p.Q, p.K / p.C, ThreadsOfDevice);
        if (x.Layout == Layout.Nhwc) context.Kernels.DepthwiseAnyNhwc(type, strips.Launch(), x.Pointer, w.Pointer, bias, y.Pointer, geometry, strips, epilogue);
        else context.Kernels.DepthwiseAnyNchw(type, strips.Launch(), x.Pointer, w.Pointer, bias, y.Pointer, geometry, strips, epilogue);
    }

    /// <summary>dx from dy; padding is zeros or none.</summary>
    public void BackwardData(in ConvolutionProblem p, DType type, Placed dy, Placed w, Placed dx)
    {
        if (DepthwiseShape.Fits(p) && TryBackwardData(p, type, dy, w, dx)) return;
        var geometry = Whole(ConvGeometry.Forward(p, dx.Layout, dy.Layout), p);
        var strips = DepthwiseStrips.Cut(p.N, p.C, p.H, p.W, p.K / p.C, ThreadsOfDevice);
        FastDivisor strideH = new(p.StrideH), strideW = new(p.StrideW);
        if (dy.Layout == Layout.Nhwc) context.Kernels.DepthwiseDgradAnyNhwc(type, strips.Launch(), dy.Pointer, w.Pointer, dx.Pointer, geometry, strips, strideH, strideW);
        else context.Kernels.DepthwiseDgradAnyNchw(type, strips.Launch(), dy.Pointer, w.Pointer, dx.Pointer, geometry, strips, strideH, strideW);
    }

    /// <summary>dw from x and dy.</summary>
    public void BackwardWeight(in ConvolutionProblem p, DType type, Placed x, Placed dy, DevicePointer dw)
    {
        var geometry = Whole(ConvGeometry.Forward(p, x.Layout, dy.Layout), p);
        if (DepthwiseShape.Fits(p) && TryBackwardWeight(p, type, geometry, x, dy, dw)) return;
        var sums = DepthwiseSums.Cut(p, x.Layout, SumBlocksPerMultiprocessor * (long)multiprocessors);
        var count = p.WeightShape.Count;
        using var partial = context.Rent(count * sums.Splits * sizeof(float));
        var launch = sums.Launch(p, x.Layout);
        if (x.Layout == Layout.Nhwc) context.Kernels.DepthwiseWgradAnyNhwc(type, launch, x.Pointer, dy.Pointer, partial, geometry, sums);
        else context.Kernels.DepthwiseWgradAnyNchw(type, launch, x.Pointer, dy.Pointer, partial, geometry, sums);
        new SplitSums(context, type).Add(partial, dw, count, sums.Splits);
    }

    private DepthwisePlanes PlanesOf(in DepthwiseShape shape, PaddingMode mode, bool wide) =>
        plans.GetOrAdd((shape, mode, wide), static (key, multiprocessors) => DepthwisePlanes.For(key.Shape, key.Mode, key.IsWide, multiprocessors), multiprocessors);

    private bool TryBackwardWeight(in ConvolutionProblem p, DType type, in ConvGeometry geometry, Placed x, Placed dy, DevicePointer dw)
    {
        var shape = DepthwiseShape.Of(ConvolutionPass.BackwardWeight, p, type);
        var kernel = DepthwiseKernels.Of(shape.Pass, x.Layout, p.R, type);
        var count = p.WeightShape.Count;
        if (x.Layout == Layout.Nhwc)
        {
            var rows = DepthwiseRows.For(shape, Wide(shape, x, dy), multiprocessors);
            using var partial = context.Rent(count * rows.Splits * sizeof(float));
            context.Kernels.DepthwiseWgradNhwc(kernel, rows.Launch(shape), x.Pointer, dy.Pointer, partial, geometry, rows);
            new SplitSums(context, type).Add(partial, dw, count, rows.Splits);
        }
        else
        {
            var planes = PlanesOf(shape, p.PaddingMode, x.IsAligned && dy.IsAligned);
            if (planes.Rows == 0) return false;
            using var partial = context.Rent(count * planes.Splits * sizeof(float));
            context.Kernels.DepthwiseWgradNchw(kernel, planes.Launch(shape), x.Pointer, dy.Pointer, partial, geometry, planes);
            new SplitSums(context, type).Add(partial, dw, count, planes.Splits);
        }

        return true;
    }

    private bool TryForward(
        in DepthwiseShape shape, in ConvGeometry geometry, Placed x, Placed w, int filterStep, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        var kernel = DepthwiseKernels.Of(shape.Pass, x.Layout, shape.Size, shape.Type);
        if (x.Layout == Layout.Nhwc)
        {
            var rows = DepthwiseRows.For(shape, Wide(shape, x, y), multiprocessors);
            context.Kernels.DepthwiseNhwc(kernel, rows.Launch(shape), x.Pointer, w.Pointer, bias, y.Pointer, geometry, rows, filterStep, epilogue);
            return true;
        }

        var planes = PlanesOf(shape, geometry.Padding, x.IsAligned && y.IsAligned);
        if (planes.Rows == 0) return false;
        context.Kernels.DepthwiseNchw(kernel, planes.Launch(shape), x.Pointer, w.Pointer, bias, y.Pointer, geometry, planes, filterStep, epilogue);
        return true;
    }

    private bool TryBackwardData(in ConvolutionProblem p, DType type, Placed dy, Placed w, Placed dx)
    {
        var shape = DepthwiseShape.Of(ConvolutionPass.BackwardData, p, type);
        if (p.StrideH == 1) return TryForward(shape, Backwards(p, dy.Layout), dy, w, -1, default, Epilogues.None, dx);
        var geometry = Whole(ConvGeometry.Forward(p, dx.Layout, dy.Layout), p);
        var kernel = DepthwiseKernels.Of(shape.Pass, dy.Layout, shape.Size, type);
        if (dy.Layout == Layout.Nhwc)
        {
            var rows = DepthwiseRows.For(shape, Wide(shape, dy, dx), multiprocessors);
            context.Kernels.DepthwiseDgradNhwc(kernel, rows.Launch(shape), dy.Pointer, w.Pointer, dx.Pointer, geometry, rows);
            return true;
        }

        var planes = PlanesOf(shape, PaddingMode.Zeros, dy.IsAligned && dx.IsAligned);
        if (planes.Rows == 0) return false;
        context.Kernels.DepthwiseDgradNchw(kernel, planes.Launch(shape), dy.Pointer, w.Pointer, dx.Pointer, geometry, planes);
        return true;
    }

    /// <summary>Whether the channels of every pixel come in whole, aligned units of 16 bytes.</summary>
    private static bool Wide(in DepthwiseShape shape, Placed first, Placed second) => shape.Channels % shape.Unit == 0 && first.IsAligned && second.IsAligned;

    /// <summary>Depthwise kernels count channels over all groups.</summary>
    private static ConvGeometry Whole(ConvGeometry geometry, in ConvolutionProblem p) => geometry with { Channels = p.C, Filters = p.K };

    /// <summary>The gradient by the input for stride 1: dy is read, dx written, the filter backwards.</summary>
    private static ConvGeometry Backwards(in ConvolutionProblem p, Layout layout) => new ConvGeometry
    {
        In = ImageStrides.Of(layout, p.K, p.P, p.Q), Out = ImageStrides.Of(layout, p.C, p.H, p.W),
        Images = p.N, Channels = p.K, Height = p.P, Width = p.Q, Filters = p.C, OutHeight = p.H, OutWidth = p.W,
        WindowHeight = p.R, WindowWidth = p.S, StrideH = 1, StrideW = 1, TapH = 1, TapW = 1,
        OriginH = p.PadTop - (p.R - 1), OriginW = p.PadLeft - (p.S - 1),
    }.Divided();
}
