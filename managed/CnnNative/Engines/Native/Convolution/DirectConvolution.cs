using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Convolution of few filters per group, directly: the filters of a product's tile would be missing, and patches are gathered for nothing.
/// Any window, stride, dilation, padding and layout; sums in fp32.
/// </summary>
internal sealed class DirectConvolution(NativeContext context, DType type)
{
    private readonly FilterLayouts filters = new(context, type);
    private readonly int size = type.Size();

    private int Multiprocessors => context.Info.Multiprocessors;

    /// <summary>Whether a pass can be done, and leaves none of so many multiprocessors idle; 0 where that does not matter.</summary>
    public static bool CanDo(in ConvolutionProblem p, ConvolutionPass pass, Layout x, Layout y, int multiprocessors = 0)
    {
        if (pass == ConvolutionPass.Forward) return Serves(DirectPlan.Forward(ConvGeometry.Forward(p, x, y), p.Groups, multiprocessors), multiprocessors);
        if (pass == ConvolutionPass.BackwardWeight) return Serves(DirectPlan.BackwardWeight(ConvGeometry.Forward(p, x, y), p.Groups, multiprocessors), multiprocessors);
        for (var i = 0; i < DataGradientPhase.Count(p); i++)
        {
            var phase = DataGradientPhase.At(p, i);
            if (!phase.IsEmpty && !Serves(DirectPlan.Forward(phase.Geometry(p, y, x), p.Groups, multiprocessors), multiprocessors)) return false;
        }

        return true;

        static bool Serves(in DirectPlan? plan, int multiprocessors) => plan is { } one && !one.LeavesIdle(multiprocessors);
    }

    /// <summary>y = clamp(x * w + bias).</summary>
    public void Forward(in ConvolutionProblem p, Placed x, Placed w, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        using var room = filters.InOrder(p, w, Layout.Nchw, out var ordered);
        Run(ConvGeometry.Forward(p, x.Layout, y.Layout), p.Groups, x.Pointer, ordered.Pointer, bias, y.Pointer, epilogue);
    }

    /// <summary>dx from dy; padding is zeros or none.</summary>
    public void BackwardData(in ConvolutionProblem p, Placed dy, Placed w, Placed dx)
    {
        using var ordered = context.Rent(Math.Max(1, p.WeightShape.Count) * size);
        for (var i = 0; i < DataGradientPhase.Count(p); i++)
        {
            var phase = DataGradientPhase.At(p, i);
            if (phase.IsEmpty) continue;
            filters.OfPhase(p, phase, w, new(ordered, Layout.Nchw));
            Run(phase.Geometry(p, dy.Layout, dx.Layout), p.Groups, dy.Pointer, ordered, default, dx.Pointer.Plus(phase.Start(p, dx.Layout) * size), Epilogues.None);
        }
    }

    /// <summary>dw from x and dy.</summary>
    public void BackwardWeight(in ConvolutionProblem p, Placed x, Placed dy, Placed dw)
    {
        if (!FilterLayouts.Same(p, dw.Layout, Layout.Nchw))
        {
            using var ordered = context.Rent(p.WeightShape.Count * size);
            BackwardWeight(p, x, dy, new(ordered, Layout.Nchw));
            filters.Reorder(p, new(ordered, Layout.Nchw), dw);
            return;
        }

        var plan = DirectPlan.BackwardWeight(ConvGeometry.Forward(p, x.Layout, dy.Layout), p.Groups, Multiprocessors)!.Value;
        int count = checked((int)p.WeightShape.Count), splits = plan.Launch.Grid.X;
        using var partial = context.Rent((long)count * splits * sizeof(float));
        context.Kernels.ConvDirectWgrad(WgradKernel(plan.Filters), plan.Launch, x.Pointer, dy.Pointer, partial, plan.Geometry, plan.Tile);
        new SplitSums(context, type).Add(partial, dw.Pointer, count, splits);
    }

    private void Run(ConvGeometry geometry, int groups, DevicePointer x, DevicePointer w, DevicePointer bias, DevicePointer y, Epilogue epilogue)
    {
        var plan = DirectPlan.Forward(geometry, groups, Multiprocessors)!.Value;
        // Four filters side by side are stored at once.
        var widened = plan.Geometry.Widened(4, images: false, filters: false, Alignment.Is16(y));
        context.Kernels.ConvDirect(ForwardKernel(plan.Filters), plan.Launch, x, w, bias, y, widened, plan.Tile, epilogue);
    }

    private Kernel ForwardKernel(int compiled) => compiled switch
    {
        4 => Kernels.OfType(type, Kernel.ConvDirect4F32, Kernel.ConvDirect4Bf16, Kernel.ConvDirect4F16),
        8 => Kernels.OfType(type, Kernel.ConvDirect8F32, Kernel.ConvDirect8Bf16, Kernel.ConvDirect8F16),
        _ => Kernels.OfType(type, Kernel.ConvDirect16F32, Kernel.ConvDirect16Bf16, Kernel.ConvDirect16F16),
    };

    private Kernel WgradKernel(int compiled) => compiled == 4
        ? Kernels.OfType(type, Kernel.ConvDirectWgrad4F32, Kernel.ConvDirectWgrad4Bf16, Kernel.ConvDirectWgrad4F16)
        : Kernels.OfType(type, Kernel.ConvDirectWgrad8F32, Kernel.ConvDirectWgrad8Bf16, Kernel.ConvDirectWgrad8F16);
}
