using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Convolution and its gradients on the device, in NCHW and NHWC. <see cref="ConvolutionPlan"/> chooses the algorithm. No sum
/// depends on anything but the sizes and the device: the same bits on every run.
/// </summary>
internal sealed class NativeConvolution(NativeContext context) : IConvolution
{
    private readonly PerType<ImplicitConvolution> implicits = new(type => new(context, Product(context, type), context.Info.Multiprocessors));
    private readonly ImplicitConvolution tf32 = new(context, new MmaConvolution(context, DType.Float32), context.Info.Multiprocessors);
    private readonly PerType<ImplicitConvolution> hopper = new(
        type => new(context, new WgmmaConvolution(context, type, context.Info.Multiprocessors), context.Info.Multiprocessors));

    private readonly PerType<PointwiseConvolution> pointwise = new(type => new(NativeGemm.For(context, type)));
    private readonly PerType<DirectConvolution> direct = new(type => new(context, type));
    private readonly DepthwiseConvolution depthwise = new(context, context.Info.Multiprocessors);
    private readonly PerType<ColumnConvolution> columns = new(type => new(context, NativeGemm.For(context, type)));

    /// <summary>The algorithm to use whatever the plan says, for tests and benches; null for the plan's choice.</summary>
    public ConvolutionAlgorithm? Forced { get; set; }

    public void Forward(in ConvolutionProblem problem, Tensor x, Tensor w, Tensor? bias, ActivationKind activation, Tensor y)
    {
        if (y.Count == 0) return;
        ConvolutionLimits.Check(problem, x, w, y);
        using (var xView = x.OnDevice())
        using (var wView = w.OnDevice())
        using (var biasView = bias.OnDevice())
        using (var yView = y.OnDevice())
        {
            Forward(problem, x.DType, new(xView, x.Layout), new(wView, w.Layout), biasView, Epilogues.For(activation), new(yView, y.Layout));
        }

        if (!Epilogues.CanFuse(activation)) y.Device.Engine.Activation.Forward(activation, y, y);
    }

    public void BackwardData(in ConvolutionProblem problem, Tensor dy, Tensor w, Tensor dx)
    {
        if (dx.Count == 0) return;
        ConvolutionLimits.Check(problem, dy, w, dx);
        using var dyView = dy.OnDevice();
        using var wView = w.OnDevice();
        using var dxView = dx.OnDevice();
        var (source, filter, target) = (new Placed(dyView, dy.Layout), new Placed(wView, w.Layout), new Placed(dxView, dx.Layout));
        if (problem.HasPadding && problem.PaddingMode != PaddingMode.Zeros) BackwardPadded(problem, dx.DType, source, filter, target);
        else BackwardData(problem, dx.DType, source, filter, target);
    }

    public void BackwardWeight(in ConvolutionProblem problem, Tensor x, Tensor dy, Tensor dw)
    {
        if (dw.Count == 0) return;
        ConvolutionLimits.Check(problem, x, dy, dw);
        using var xView = x.OnDevice();
        using var dyView = dy.OnDevice();
        using var dwView = dw.OnDevice();
        var (images, gradient, target) = (new Placed(xView, x.Layout), new Placed(dyView, dy.Layout), new Placed(dwView, dw.Layout));
        switch (Algorithm(problem, ConvolutionPass.BackwardWeight, x.DType, x.Layout, dy.Layout))
        {
            case ConvolutionAlgorithm.Depthwise: depthwise.BackwardWeight(problem, x.DType, images, gradient, target.Pointer); break;
            case ConvolutionAlgorithm.Pointwise: Pointwise(x.DType).BackwardWeight(problem, images, gradient, target); break;
            case ConvolutionAlgorithm.Direct: Direct(x.DType).BackwardWeight(problem, images, gradient, target); break;
            case ConvolutionAlgorithm.Columns: ColumnsBackwardWeight(problem, x.DType, images, gradient, target); break;
            default: Implicit(problem, ConvolutionPass.BackwardWeight, x.DType, images, gradient, target).BackwardWeight(problem, images, gradient, target); break;
        }
    }

    public void BackwardBias(Tensor dy, Tensor db) => ChannelSums.Run(context, dy, db);

    private void Forward(in ConvolutionProblem problem, DType type, Placed x, Placed w, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        switch (Algorithm(problem, ConvolutionPass.Forward, type, x.Layout, y.Layout))
        {
            case ConvolutionAlgorithm.Depthwise: depthwise.Forward(problem, type, x, w, bias, epilogue, y); break;
            case ConvolutionAlgorithm.Pointwise: Pointwise(type).Forward(problem, x, w, bias, epilogue, y); break;
            case ConvolutionAlgorithm.Direct: Direct(type).Forward(problem, x, w, bias, epilogue, y); break;
            case ConvolutionAlgorithm.Columns:
                using (Filters(type).InOrder(problem, w, x.Layout, out var ordered)) Columns(type).Forward(problem, x, ordered, bias, epilogue, y);
                break;
            default: Implicit(problem, ConvolutionPass.Forward, type, x, y, w).Forward(problem, x, w, bias, epilogue, y); break;
        }
    }

    private void BackwardData(in ConvolutionProblem problem, DType type, Placed dy, Placed w, Placed dx)
    {
        switch (Algorithm(problem, ConvolutionPass.BackwardData, type, dx.Layout, dy.Layout))
        {
            case ConvolutionAlgorithm.Depthwise: depthwise.BackwardData(problem, type, dy, w, dx); break;
            case ConvolutionAlgorithm.Pointwise: Pointwise(type).BackwardData(problem, dy, w, dx); break;
            case ConvolutionAlgorithm.Direct: Direct(type).BackwardData(problem, dy, w, dx); break;
            case ConvolutionAlgorithm.Columns:
                using (Filters(type).InOrder(problem, w, dy.Layout, out var ordered)) Columns(type).BackwardData(problem, dy, ordered, dx);
                break;
            default: Implicit(problem, ConvolutionPass.BackwardData, type, dx, dy, w).BackwardData(problem, dy, w, dx); break;
        }
    }

    /// <summary>With padding taken from the image: the gradient of the padded image, whose border then goes back to the pixels that it shows.</summary>
    private void BackwardPadded(in ConvolutionProblem problem, DType type, Placed dy, Placed w, Placed dx)
    {
        var padded = problem with
        {
            H = problem.H + problem.PadTop + problem.PadBottom, W = problem.W + problem.PadLeft + problem.PadRight,
            PadTop = 0, PadBottom = 0, PadLeft = 0, PadRight = 0, PaddingMode = PaddingMode.Zeros,
        };
        ConvolutionLimits.CheckImage(padded);
        using var gradient = context.Rent(padded.InputShape.Count * type.Size());
        BackwardData(padded, type, dy, w, new(gradient, dx.Layout));
        var fold = FoldGeometry.Of(problem, dx.Layout);
        if (dx.Layout == Layout.Nhwc) context.Kernels.FoldPaddingNhwc(type, fold.Launch(), gradient, dx.Pointer, fold);
        else context.Kernels.FoldPaddingNchw(type, fold.Launch(), gradient, dx.Pointer, fold);
    }

    private void ColumnsBackwardWeight(in ConvolutionProblem problem, DType type, Placed x, Placed dy, Placed dw)
    {
        if (FilterLayouts.Same(problem, x.Layout, dw.Layout))
        {
            Columns(type).BackwardWeight(problem, x, dy, dw.Pointer);
            return;
        }

        using var ordered = context.Rent(problem.WeightShape.Count * type.Size());
        Columns(type).BackwardWeight(problem, x, dy, ordered);
        Filters(type).Reorder(problem, new(ordered, x.Layout), dw);
    }

    private ConvolutionAlgorithm Algorithm(in ConvolutionProblem problem, ConvolutionPass pass, DType type, Layout x, Layout y)
    {
        if (Forced is not { } forced) return ConvolutionPlan.Choose(problem, pass, type, UsesTf32(problem, pass, type, x, y), x, y, context.Info.Multiprocessors);
        return ConvolutionPlan.Supports(forced, problem, pass, type, x, y)
            ? forced
            : throw new EngineNotSupportedException("Native", $"Conv2d {pass}", $"{problem} in {type} by {forced}");
    }

    private PointwiseConvolution Pointwise(DType type) => pointwise.For(type, "Conv2d");

    private DirectConvolution Direct(DType type) => direct.For(type, "Conv2d");

    private ColumnConvolution Columns(DType type) => columns.For(type, "Conv2d");

    private FilterLayouts Filters(DType type) => new(context, type);

    /// <summary>The implicit product for a data type: halves on matrix units, those of compute capability 9.0 where that pays; fp32 there where that is allowed and reads units.</summary>
    private ImplicitConvolution Implicit(in ConvolutionProblem problem, ConvolutionPass pass, DType type, Placed x, Placed y, Placed filters)
    {
        if (UsesTf32(problem, pass, type, x.Layout, y.Layout) && x.IsAligned && y.IsAligned) return tf32;
        var portable = implicits.For(type, "Conv2d");
        if (context.Wgmma == WgmmaUse.Never || !WgmmaConvolution.CanDo(problem, pass, type) || !x.IsAligned || !y.IsAligned || !filters.IsAligned) return portable;
        var wgmma = hopper.For(type, "Conv2d");
        return context.Wgmma.Prefers(wgmma.Plan(problem, pass), portable.Plan(problem, pass)) ? wgmma : portable;
    }

    private static IConvolutionProduct Product(NativeContext context, DType type) =>
        type == DType.Float32 ? new FmaConvolution(context) : new MmaConvolution(context, type);

    private bool UsesTf32(in ConvolutionProblem problem, ConvolutionPass pass, DType type, Layout x, Layout y) =>
        context.AllowTf32 && type == DType.Float32 && MmaConvolution.ReadsUnits(problem, pass, type, x, y);
}
