using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Sums over everything but the channels: the gradients of biases.</summary>
internal static class ChannelSums
{
    /// <summary>db[c] = the sum of dy (N, C, ...) over all else.</summary>
    public static void Run(NativeContext context, Tensor dy, Tensor db)
    {
        if (db.Count == 0) return;
        using var source = dy.OnDevice();
        using var target = db.OnDevice();
        var plan = Plan(dy, Alignment.Is16(source));
        using var parts = RentParts(context, plan);
        if (plan.ByRows) context.Kernels.ChannelSumsRows(dy.DType, plan.Launch, source, plan.Geometry, parts, target);
        else context.Kernels.ChannelSumsPlanes(dy.DType, plan.Launch, source, plan.Geometry, parts, target);
        Finish(context, plan, db.DType, parts, target);
    }

    /// <summary>dx = dy f'(x), computed from y = f(x), and db[c] = its sum, in one pass.</summary>
    public static void Run(NativeContext context, ActivationKind kind, Tensor y, Tensor dy, Tensor dx, Tensor db)
    {
        if (db.Count == 0) return;
        using var output = y.OnDevice();
        using var gradient = dy.OnDevice();
        using var result = dx.OnDevice();
        using var target = db.OnDevice();
        var plan = Plan(dx, Alignment.Is16(output) && Alignment.Is16(gradient) && Alignment.Is16(result));
        using var parts = RentParts(context, plan);
        if (plan.ByRows) context.Kernels.ActivationSumsRows(dx.DType, plan.Launch, (int)kind, output, gradient, plan.Geometry, result, parts, target);
        else context.Kernels.ActivationSumsPlanes(dx.DType, plan.Launch, (int)kind, output, gradient, plan.Geometry, result, parts, target);
        Finish(context, plan, db.DType, parts, target);
    }

    private static ChannelPlan Plan(Tensor x, bool aligned) =>
        ChannelPlan.ForSums(x.Shape[0], x.Shape[1], x.Shape.CountFrom(2), x.Layout, x.DType, aligned);

    private static Workspace RentParts(NativeContext context, in ChannelPlan plan) => context.Rent((long)plan.Parts * plan.Geometry.Channels * sizeof(float));

    private static void Finish(NativeContext context, in ChannelPlan plan, DType type, DevicePointer parts, DevicePointer db)
    {
        if (!plan.IsSmall) context.Kernels.ChannelSumsFinish(type, plan.FinishLaunch, parts, plan.Parts, plan.Geometry.Channels, db);
    }
}
