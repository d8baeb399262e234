using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Convolution as one product whose patches are gathered as they are needed (implicit GEMM): any stride, padding, dilation and
/// groups. The arithmetic is that of an <see cref="IConvolutionProduct"/>: FMA units, or matrix units.
/// </summary>
/// <param name="context">The device and its kernels.</param>
/// <param name="product">The arithmetic.</param>
/// <param name="multiprocessors">That the plans are made for.</param>
internal sealed class ImplicitConvolution(NativeContext context, IConvolutionProduct product, int multiprocessors)
{
    private readonly SplitSums sums = new(context, product.Type);
    private readonly FilterLayouts filters = new(context, product.Type);
    private readonly ImageLayouts images = new(context, product.Type);
    private readonly int size = product.Type.Size();

    /// <summary>How a pass is divided over blocks. All phases of the data gradient have one plan, that of the largest, so that their partial results can be added up together.</summary>
    public TilePlan Plan(in ConvolutionProblem p, ConvolutionPass pass)
    {
        int channels = p.C / p.Groups, filters = p.K / p.Groups;
        long outputs = (long)p.N * p.P * p.Q, patch = product.PatchLength((long)p.R * p.S, channels);
        if (pass == ConvolutionPass.Forward) return product.Plan(filters, outputs, patch, p.Groups, multiprocessors);
        if (pass == ConvolutionPass.BackwardWeight) return TilePlan.Choose(product.Tiles, filters, patch, outputs, p.Groups, multiprocessors);
        var (pixels, taps) = DataGradientPhase.Largest(p);
        return product.Plan(channels, pixels, product.PatchLength(taps, filters), p.Groups, multiprocessors);
    }

    /// <summary>y = clamp(x * w + bias).</summary>
    public void Forward(in ConvolutionProblem problem, Placed x, Placed w, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        using var imageRoom = images.InLayout(x, product.Images(ConvolutionPass.Forward, problem.C / problem.Groups, x.Layout), problem.InputShape, out x);
        var geometry = ConvGeometry.Forward(problem, x.Layout, y.Layout);
        using var filterRoom = filters.InOrder(problem, w, product.Filters(geometry, x.Layout, w.Layout), out var ordered);
        geometry = geometry.Widened(product.Unit, x.IsAligned, ordered.IsAligned, y.IsAligned);
        var plan = Plan(problem, ConvolutionPass.Forward);
        if (plan.Splits == 1)
        {
            product.Forward(plan, problem.Groups, geometry, x, ordered, bias, y.Pointer, plan.Depth(0), epilogue);
            return;
        }

        var count = problem.OutputShape.Count;
        using var partial = context.Rent(count * plan.Splits * sizeof(float));
        product.Forward(plan, problem.Groups, geometry, x, ordered, default, partial, plan.Depth(count), Epilogues.None);
        sums.Add(partial, bias, y.Pointer, count, plan.Splits, problem.K, geometry.Out.Channel, epilogue);
    }

    /// <summary>dx from dy; padding is zeros or none.</summary>
    public void BackwardData(in ConvolutionProblem problem, Placed dy, Placed w, Placed dx)
    {
        using var imageRoom = images.InLayout(dy, product.Images(ConvolutionPass.BackwardData, problem.K / problem.Groups, dy.Layout), problem.OutputShape, out dy);
        var plan = Plan(problem, ConvolutionPass.BackwardData);
        using var ordered = context.Rent(Room(problem.WeightShape.Count) * size + DataGradientPhase.Count(problem) * RoomBytes);
        if (plan.Splits == 1)
        {
            RunPhases(problem, plan, dy, w, ordered, dx, size, 0);
            return;
        }

        var count = problem.InputShape.Count;
        using var partial = context.Rent(count * plan.Splits * sizeof(float));
        RunPhases(problem, plan, dy, w, ordered, new(partial, dx.Layout), sizeof(float), count);
        sums.Add(partial, dx.Pointer, count, plan.Splits);
    }

    /// <summary>dw from x and dy.</summary>
    public void BackwardWeight(in ConvolutionProblem problem, Placed x, Placed dy, Placed dw)
    {
        using var xRoom = images.InLayout(x, product.Images(ConvolutionPass.BackwardWeight, problem.C, x.Layout), problem.InputShape, out x);
        using var dyRoom = images.InLayout(dy, product.Images(ConvolutionPass.BackwardWeight, problem.K, dy.Layout), problem.OutputShape, out dy);
        var order = x.Layout == dy.Layout ? x.Layout : Layout.Nchw;
        if (FilterLayouts.Same(problem, dw.Layout, order))
        {
            BackwardWeight(problem, order, x, dy, dw.Pointer);
            return;
        }

        using var ordered = context.Rent(problem.WeightShape.Count * size);
        BackwardWeight(problem, order, x, dy, ordered);
        filters.Reorder(problem, new(ordered, order), dw);
    }

    private void BackwardWeight(in ConvolutionProblem problem, Layout order, Placed x, Placed dy, DevicePointer dw)
    {
        var geometry = ConvGeometry.Forward(problem, x.Layout, dy.Layout).Widened(product.Unit, x.IsAligned, filters: false, dy.IsAligned);
        var plan = Plan(problem, ConvolutionPass.BackwardWeight);
        if (plan.Splits == 1 && product.Type == DType.Float32)
        {
            product.BackwardWeight(plan, problem.Groups, order, geometry, x, dy, dw, plan.Depth(0));
            return;
        }

        var count = problem.WeightShape.Count;
        using var partial = context.Rent(count * plan.Splits * sizeof(float));
        product.BackwardWeight(plan, problem.Groups, order, geometry, x, dy, partial, plan.Depth(count));
        sums.Add(partial, dw, count, plan.Splits);
    }

    private void RunPhases(
        in ConvolutionProblem problem, in TilePlan plan, Placed dy, Placed w, DevicePointer ordered, Placed dx, int resultSize, long partialStride)
    {
        for (var i = 0; i < DataGradientPhase.Count(problem); i++)
        {
            var phase = DataGradientPhase.At(problem, i);
            if (phase.IsEmpty) continue;
            var target = dx.Pointer.Plus(phase.Start(problem, dx.Layout) * resultSize);
            var geometry = phase.Geometry(problem, dy.Layout, dx.Layout).Widened(product.Unit, dy.IsAligned, filters: true, Alignment.Is16(target));
            var phaseFilters = new Placed(ordered, product.Filters(geometry, dy.Layout, stored: null));
            filters.OfPhase(problem, phase, w, phaseFilters);
            var own = plan with { StepsPerSplit = Math.Max(1, (product.Tiles.Steps(product.PatchLength(phase.Taps, geometry.Channels)) + plan.Splits - 1) / plan.Splits) };
            product.Forward(own, problem.Groups, geometry, dy, phaseFilters, default, target, own.Depth(partialStride), Epilogues.None);
            ordered = ordered.Plus(Room(phase.FilterCount(problem)) * size);
        }
    }

    /// <summary>Bytes that the filters of one phase may take beyond their size, so that what follows is aligned.</summary>
    private const int RoomBytes = 16;

    private long Room(long elements) => (elements * size + RoomBytes - 1) / RoomBytes * RoomBytes / size;
}
