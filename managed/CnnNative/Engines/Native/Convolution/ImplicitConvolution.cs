using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Convolution as one product whose patches are gathered as they are needed (implicit GEMM): any stride, padding, dilation and groups.</summary>
internal sealed class ImplicitConvolution(NativeContext context)
{
    private readonly SplitSums sums = new(context);
    private readonly FilterLayouts filters = new(context);

    private int Multiprocessors => context.Info.Multiprocessors;

    /// <summary>y = clamp(x * w + bias).</summary>
    public void Forward(in ConvolutionProblem problem, Placed x, Placed w, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        using var room = filters.InOrder(problem, w, x.Layout, out var ordered);
        var geometry = ConvGeometry.Forward(problem, x.Layout, y.Layout).Widened(x.IsAligned, ordered.IsAligned, y.IsAligned);
        var plan = TilePlan.Choose(geometry.Filters, geometry.Pixels, geometry.PatchLength, problem.Groups, Multiprocessors);
        if (plan.Splits == 1)
        {
            Launch(geometry, plan, problem.Groups, x, ordered.Pointer, bias, y.Pointer, 0, epilogue);
            return;
        }

        var count = problem.OutputShape.Count;
        using var partial = context.Rent(count * plan.Splits * sizeof(float));
        Launch(geometry, plan, problem.Groups, x, ordered.Pointer, default, partial, count, Epilogues.None);
        sums.Add(partial, bias, y.Pointer, count, plan.Splits, problem.K, geometry.Out.Channel, epilogue);
    }

    /// <summary>dx from dy; padding is zeros or none.</summary>
    public void BackwardData(in ConvolutionProblem problem, Placed dy, Placed w, Placed dx)
    {
        var phases = DataGradientPhase.Of(problem);
        var plan = PlanPhases(problem, phases);
        using var ordered = context.Rent(FilterFloats(problem, phases) * sizeof(float));
        if (plan.Splits == 1)
        {
            RunPhases(problem, phases, plan, dy, w, ordered, dx, 0);
            return;
        }

        var count = problem.InputShape.Count;
        using var partial = context.Rent(count * plan.Splits * sizeof(float));
        RunPhases(problem, phases, plan, dy, w, ordered, new(partial, dx.Layout), count);
        sums.Add(partial, dx.Pointer, count, plan.Splits);
    }

    /// <summary>dw from x and dy.</summary>
    public void BackwardWeight(in ConvolutionProblem problem, Placed x, Placed dy, Placed dw)
    {
        var order = x.Layout == dy.Layout ? x.Layout : Layout.Nchw;
        if (FilterLayouts.Same(problem, dw.Layout, order))
        {
            BackwardWeightOrdered(problem, order, x, dy, dw.Pointer);
            return;
        }

        using var ordered = context.Rent(problem.WeightShape.Count * sizeof(float));
        BackwardWeightOrdered(problem, order, x, dy, ordered);
        filters.Reorder(problem, new(ordered, order), dw);
    }

    private void Launch(
        in ConvGeometry geometry, in TilePlan plan, int groups, Placed x, DevicePointer w, DevicePointer bias, DevicePointer y, long partialStride, Epilogue epilogue) =>
        context.Kernels.ConvForward(
            TileKernels.ConvForward(x.Layout, plan.Tile), plan.Launch(geometry.Filters, geometry.Pixels, groups), x.Pointer, w, bias, y, geometry,
            plan.Depth(partialStride), epilogue);

    private void BackwardWeightOrdered(in ConvolutionProblem problem, Layout order, Placed x, Placed dy, DevicePointer dw)
    {
        var geometry = ConvGeometry.Forward(problem, x.Layout, dy.Layout).Widened(x.IsAligned, filters: false, dy.IsAligned);
        var plan = TilePlan.Choose(geometry.Filters, geometry.PatchLength, geometry.Pixels, problem.Groups, Multiprocessors);
        var count = problem.WeightShape.Count;
        if (plan.Splits == 1)
        {
            LaunchWgrad(geometry, plan, problem.Groups, order, x, dy, dw, 0);
            return;
        }

        using var partial = context.Rent(count * plan.Splits * sizeof(float));
        LaunchWgrad(geometry, plan, problem.Groups, order, x, dy, partial, count);
        sums.Add(partial, dw, count, plan.Splits);
    }

    private void LaunchWgrad(
        in ConvGeometry geometry, in TilePlan plan, int groups, Layout order, Placed x, Placed dy, DevicePointer dw, long partialStride)
    {
        var wide = Alignment.Wide(dw, geometry.PatchLength) != 0 ? WideStore.Columns : WideStore.None;
        context.Kernels.ConvWgrad(
            TileKernels.ConvWgrad(order, plan.Tile), plan.Launch(geometry.Filters, geometry.PatchLength, groups), x.Pointer, dy.Pointer, dw, geometry,
            plan.Depth(partialStride), (int)wide);
    }

    /// <summary>One plan for all phases, so that their partial results can be added up together: that of the largest.</summary>
    private TilePlan PlanPhases(in ConvolutionProblem problem, List<DataGradientPhase> phases)
    {
        long pixels = 0, taps = 0;
        foreach (var phase in phases)
        {
            pixels = Math.Max(pixels, (long)problem.N * phase.Rows.Count * phase.Columns.Count);
            taps = Math.Max(taps, (long)phase.Rows.Taps * phase.Columns.Taps);
        }

        return TilePlan.Choose(problem.C / problem.Groups, pixels, taps * (problem.K / problem.Groups), problem.Groups, Multiprocessors);
    }

    private void RunPhases(
        in ConvolutionProblem problem, List<DataGradientPhase> phases, TilePlan plan, Placed dy, Placed w, DevicePointer ordered, Placed dx, long partialStride)
    {
        foreach (var phase in phases)
        {
            filters.OfPhase(problem, phase, w, new(ordered, dy.Layout));
            var target = dx.Pointer.Plus(phase.Start(problem, dx.Layout) * sizeof(float));
            var geometry = phase.Geometry(problem, dy.Layout, dx.Layout).Widened(dy.IsAligned, Alignment.Is16(ordered), Alignment.Is16(target));
            var steps = (geometry.PatchLength + TileShapes.Depth - 1) / TileShapes.Depth;
            var own = plan with { StepsPerSplit = Math.Max(1, (steps + plan.Splits - 1) / plan.Splits) };
            Launch(geometry, own, problem.Groups, dy, ordered, default, target, partialStride, Epilogues.None);
            ordered = ordered.Plus(Room(phase.FilterCount(problem)) * sizeof(float));
        }
    }

    private static long FilterFloats(in ConvolutionProblem problem, List<DataGradientPhase> phases)
    {
        long floats = 0;
        foreach (var phase in phases) floats += Room(phase.FilterCount(problem));
        return floats;
    }

    /// <summary>Room for some floats, so that what follows is aligned.</summary>
    private static long Room(long floats) => (floats + 3) / 4 * 4;
}
