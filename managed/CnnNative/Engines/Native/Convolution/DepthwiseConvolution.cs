using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Depthwise convolution: every channel is convolved with filters of its own. Filters are (K, R, S) in any layout.</summary>
internal sealed class DepthwiseConvolution(NativeContext context)
{
    /// <summary>Threads of a block of the gradient by the filters, and channels of one in NHWC.</summary>
    private const int WgradThreads = 128, WgradChannels = 32;

    private readonly SplitSums sums = new(context, DType.Float32);

    private long ThreadsOfDevice => (long)context.Info.Multiprocessors * context.Info.MaxThreadsPerMultiprocessor;

    /// <summary>y = clamp(x * w + bias).</summary>
    public void Forward(in ConvolutionProblem p, Placed x, Placed w, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        var geometry = Whole(ConvGeometry.Forward(p, x.Layout, y.Layout), p);
        var perThread = DepthwiseWindow.ChannelsPerThread(p, x.Layout);
        var wide = perThread == 1 || (p.K == p.C && p.C % perThread == 0 && x.IsAligned && y.IsAligned && Alignment.Is16(bias));
        if (DepthwiseWindow.Fits(p) && wide)
        {
            Window(geometry, p.StrideH, perThread, x, w, 1, bias, epilogue, y);
            return;
        }

        var strips = DepthwiseStrips.Cut(p.N, p.K, p.P, p.Q, p.K / p.C, 1, ThreadsOfDevice);
        var kernel = x.Layout == Layout.Nhwc ? Kernel.DepthwiseNhwcAny : Kernel.DepthwiseNchwAny;
        context.Kernels.Depthwise(kernel, strips.Launch(), x.Pointer, w.Pointer, bias, y.Pointer, geometry, strips, epilogue);
    }

    /// <summary>dx from dy; padding is zeros or none.</summary>
    public void BackwardData(in ConvolutionProblem p, Placed dy, Placed w, Placed dx)
    {
        var perThread = DepthwiseWindow.ChannelsPerThread(p, dy.Layout);
        if (DepthwiseWindow.FitsBackwards(p) && (perThread == 1 || (p.C % perThread == 0 && dy.IsAligned && dx.IsAligned)))
        {
            Window(Backwards(p, dy.Layout), 1, perThread, dy, w, -1, default, Epilogues.None, dx);
            return;
        }

        var strips = DepthwiseStrips.Cut(p.N, p.C, p.H, p.W, p.K / p.C, 1, ThreadsOfDevice);
        var kernel = dy.Layout == Layout.Nhwc ? Kernel.DepthwiseDgradNhwc : Kernel.DepthwiseDgradNchw;
        context.Kernels.DepthwiseDgrad(
            kernel, strips.Launch(), dy.Pointer, w.Pointer, dx.Pointer, Whole(ConvGeometry.Forward(p, dx.Layout, dy.Layout), p), strips, new(p.StrideH), new(p.StrideW));
    }

    /// <summary>dw from x and dy, for windows that fit into registers.</summary>
    public void BackwardWeight(in ConvolutionProblem p, Placed x, Placed dy, DevicePointer dw)
    {
        var strips = DepthwiseStrips.Cut(p.N, p.K, p.P, p.Q, p.K / p.C, 1, ThreadsOfDevice);
        var (perSplit, splits) = Splits(p, strips, x.Layout, context.Info.Multiprocessors);
        var slices = Slices(p, x.Layout);
        var launch = new LaunchConfiguration(new Dim3(slices, splits), WgradThreads);
        var kernel = DepthwiseWindow.Wgrad(x.Layout, p.R, p.StrideH);
        var geometry = Whole(ConvGeometry.Forward(p, x.Layout, dy.Layout), p);
        if (splits == 1)
        {
            context.Kernels.DepthwiseWgrad(kernel, launch, x.Pointer, dy.Pointer, dw, geometry, strips, perSplit);
            return;
        }

        var count = p.WeightShape.Count;
        using var partial = context.Rent(count * splits * sizeof(float));
        context.Kernels.DepthwiseWgrad(kernel, launch, x.Pointer, dy.Pointer, partial, geometry, strips, perSplit);
        sums.Add(partial, dw, count, splits);
    }

    /// <summary>
    /// How the strips of all images are divided over blocks: enough blocks for the device, but a worker for every thread, and
    /// no more partial results than a tenth of the gradient itself.
    /// </summary>
    internal static (int StripsPerSplit, int Splits) Splits(in ConvolutionProblem p, in DepthwiseStrips strips, Layout layout, int multiprocessors)
    {
        const int blocksPerMultiprocessor = 8;
        var all = p.N * strips.Strips;
        var workers = layout == Layout.Nhwc ? WgradThreads / WgradChannels : WgradThreads;
        var wanted = Math.Max(1, (long)multiprocessors * blocksPerMultiprocessor / Slices(p, layout));
        var most = Math.Min(all / Math.Max(1, (workers + p.Q - 1) / p.Q), p.OutputShape.Count / 10 / Math.Max(1, p.WeightShape.Count));
        var splits = (int)Math.Clamp(Math.Min(wanted, most), 1, Math.Max(1, all));
        var perSplit = Math.Max(1, (all + splits - 1) / splits);
        return (perSplit, Math.Max(1, (all + perSplit - 1) / perSplit));
    }

    private static int Slices(in ConvolutionProblem p, Layout layout) => layout == Layout.Nhwc ? (p.K + WgradChannels - 1) / WgradChannels : p.K;

    private void Window(
        in ConvGeometry geometry, int stride, int perThread, Placed x, Placed w, int filterStep, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        var strips = DepthwiseStrips.Cut(
            geometry.Images, geometry.Filters, geometry.OutHeight, geometry.OutWidth, geometry.Filters / geometry.Channels, perThread, ThreadsOfDevice);
        context.Kernels.Depthwise(
            DepthwiseWindow.Forward(x.Layout, geometry.WindowHeight, stride), strips.Launch(), x.Pointer, w.Pointer, bias, y.Pointer, geometry, strips, filterStep,
            epilogue);
    }

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
