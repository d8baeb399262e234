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
        var plan = ChannelPlan.For(dy.Shape[0], dy.Shape[1], dy.Shape.CountFrom(2), dy.Layout, dy.DType, source.Pointer.Address % 16 == 0);
        using var parts = context.Rent((long)plan.Parts * plan.Geometry.Channels * sizeof(float));
        if (plan.ByRows) context.Kernels.ChannelSumsRows(dy.DType, plan.Launch, source, plan.Geometry, parts, target);
        else context.Kernels.ChannelSumsPlanes(dy.DType, plan.Launch, source, plan.Geometry, parts, target);
        if (!plan.IsSmall) context.Kernels.ChannelSumsFinish(db.DType, plan.FinishLaunch, parts, plan.Parts, plan.Geometry.Channels, target);
    }
}
