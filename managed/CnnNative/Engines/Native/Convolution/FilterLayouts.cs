namespace CnnNative.Engines.Native;

/// <summary>Filters brought into the order that a kernel reads.</summary>
internal readonly struct FilterLayouts(NativeContext context, DType type)
{
    /// <summary>Whether two layouts of the filters are the same memory.</summary>
    public static bool Same(in ConvolutionProblem problem, Layout first, Layout second) =>
        first == second || problem.C == problem.Groups || problem.R * problem.S == 1;

    /// <summary>The filters in a layout: themselves, or a copy in working memory, which the caller gives back.</summary>
    public Workspace InOrder(in ConvolutionProblem problem, Placed w, Layout layout, out Placed ordered)
    {
        ordered = w with { Layout = layout };
        if (Same(problem, w.Layout, layout)) return default;
        var room = context.Rent(problem.WeightShape.Count * type.Size());
        ordered = new(room, layout);
        Reorder(problem, w, ordered);
        return room;
    }

    /// <summary>Copies filters from one layout to another.</summary>
    public void Reorder(in ConvolutionProblem problem, Placed from, Placed to) => Gather(FilterOrder.Between(problem, from.Layout, to.Layout), from, to);

    /// <summary>Collects the filters of a phase of the data gradient.</summary>
    public void OfPhase(in ConvolutionProblem problem, in DataGradientPhase phase, Placed w, Placed target) =>
        Gather(FilterOrder.OfPhase(problem, phase, w.Layout, target.Layout), w, target);

    private void Gather(in FilterOrder order, Placed from, Placed to)
    {
        if (order.Count > 0) context.Kernels.GatherFilters(type, order.Launch(), from.Pointer, to.Pointer, order);
    }
}
