using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Convolution of few filters per group, directly: the filters of a product's tile would be missing, and patches are gathered for nothing.
/// Any window, stride, dilation, padding and layout; fp32 on FMA units, 16 bits on matrix units, sums in fp32.
/// </summary>
internal sealed class DirectConvolution(NativeContext context, DType type)
{
    private readonly FilterLayouts filters = new(context, type);
    private readonly int size = type.Size();

    private int Multiprocessors => context.Info.Multiprocessors;

    /// <summary>Whether a pass can be done, and leaves none of so many multiprocessors idle; 0 where that does not matter.</summary>
    public static bool CanDo(in ConvolutionProblem p, ConvolutionPass pass, DType type, Layout x, Layout y, int multiprocessors = 0)
    {
        if (pass != ConvolutionPass.BackwardData) return Serves(ConvGeometry.Forward(p, x, y), p.Groups, pass, type, multiprocessors);
        for (var i = 0; i < DataGradientPhase.Count(p); i++)
        {
            var phase = DataGradientPhase.At(p, i);
            if (!phase.IsEmpty && !Serves(phase.Geometry(p, y, x), p.Groups, pass, type, multiprocessors)) return false;
        }

        return true;
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

        var geometry = ConvGeometry.Forward(p, x.Layout, dy.Layout);
        if (type == DType.Float32) RunWgrad(geometry, p.Groups, x.Pointer, dy.Pointer, dw.Pointer);
        else RunMmaWgrad(geometry, p.Groups, x.Pointer, dy.Pointer, dw.Pointer);
    }

    private static bool Serves(in ConvGeometry geometry, int groups, ConvolutionPass pass, DType type, int multiprocessors) => (type == DType.Float32, pass == ConvolutionPass.BackwardWeight) switch
    {
        (true, true) => DirectPlan.BackwardWeight(geometry, groups, multiprocessors) is { } plan && !plan.LeavesIdle(multiprocessors),
        (true, false) => DirectPlan.Forward(geometry, groups, multiprocessors) is { } plan && !plan.LeavesIdle(multiprocessors),
        (false, true) => MmaDirectPlan.BackwardWeight(geometry, groups, multiprocessors) is { } plan && !plan.LeavesIdle(multiprocessors),
        (false, false) => MmaDirectPlan.Forward(geometry, groups, multiprocessors) is { } plan && !plan.LeavesIdle(multiprocessors),
    };

    private void Run(in ConvGeometry geometry, int groups, DevicePointer x, DevicePointer w, DevicePointer bias, DevicePointer y, Epilogue epilogue)
    {
        if (type != DType.Float32)
        {
            RunMma(geometry, groups, x, w, bias, y, epilogue);
            return;
        }

        var plan = DirectPlan.Forward(geometry, groups, Multiprocessors)!.Value;
        // Four filters side by side are stored at once.
        var widened = plan.Geometry.Widened(4, images: false, filters: false, Alignment.Is16(y));
        context.Kernels.ConvDirect(ForwardKernel(plan.Filters), plan.Launch, x, w, bias, y, widened, plan.Tile, epilogue);
    }

    private void RunMma(in ConvGeometry geometry, int groups, DevicePointer x, DevicePointer w, DevicePointer bias, DevicePointer y, Epilogue epilogue)
    {
        var plan = MmaDirectPlan.Forward(geometry, groups, Multiprocessors)!.Value;
        context.Kernels.MmaConvDirect(type == DType.BFloat16 ? Kernel.MmaConvDirectBf16 : Kernel.MmaConvDirectF16, plan.Launch, x, w, bias, y, plan.Of(x, y), plan.Tile, plan.WholePairs, epilogue);
    }

    private void RunWgrad(in ConvGeometry geometry, int groups, DevicePointer x, DevicePointer dy, DevicePointer dw)
    {
        var plan = DirectPlan.BackwardWeight(geometry, groups, Multiprocessors)!.Value;
        var kernel = plan.Filters == 4 ? Kernel.ConvDirectWgrad4F32 : Kernel.ConvDirectWgrad8F32;
        int count = Weights(geometry, groups), splits = plan.Launch.Grid.X;
        using var partial = context.Rent((long)count * splits * sizeof(float));
        context.Kernels.ConvDirectWgrad(kernel, plan.Launch, x, dy, partial, plan.Geometry, plan.Tile);
        new SplitSums(context, type).Add(partial, dw, count, splits);
    }

    private void RunMmaWgrad(in ConvGeometry geometry, int groups, DevicePointer x, DevicePointer dy, DevicePointer dw)
    {
        var plan = MmaDirectPlan.BackwardWeight(geometry, groups, Multiprocessors)!.Value;
        int count = Weights(geometry, groups), splits = plan.Launch.Grid.X;
        using var partial = context.Rent((long)count * splits * sizeof(float));
        context.Kernels.MmaConvDirectWgrad(
            type == DType.BFloat16 ? Kernel.MmaConvDirectWgradBf16 : Kernel.MmaConvDirectWgradF16, plan.Launch, x, dy, partial, plan.OfGradient(x, dy), plan.Tile, plan.WholePairs, plan.WarpsOfTaps);
        new SplitSums(context, type).Add(partial, dw, count, splits);
    }

    private static int Weights(in ConvGeometry geometry, int groups) => geometry.PatchLength * geometry.Filters * groups;

    private static Kernel ForwardKernel(int compiled) => compiled switch
    {
        4 => Kernel.ConvDirect4F32,
        8 => Kernel.ConvDirect8F32,
        _ => Kernel.ConvDirect16F32,
    };
}
