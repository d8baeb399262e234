namespace CnnNative.Engines.Native;

/// <summary>Activations in memory order, whatever the layout, and softmax.</summary>
internal sealed class NativeActivation(NativeContext context) : IActivation
{
    public void Forward(ActivationKind kind, Tensor x, Tensor y)
    {
        if (y.Count == 0) return;
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        context.Kernels.ActivationForward(y.DType, MapLaunch.For(y), (int)kind, source, target, y.Count);
    }

    public void Backward(ActivationKind kind, Tensor y, Tensor dy, Tensor dx)
    {
        if (dx.Count == 0) return;
        using var output = y.OnDevice();
        using var gradient = dy.OnDevice();
        using var target = dx.OnDevice();
        context.Kernels.ActivationBackward(dx.DType, MapLaunch.For(dx), (int)kind, output, gradient, target, dx.Count);
    }

    public void BackwardWithBias(ActivationKind kind, Tensor y, Tensor dy, Tensor dx, Tensor db) => ChannelSums.Run(context, kind, y, dy, dx, db);

    public void SoftmaxForward(Tensor x, int axis, bool logarithm, Tensor y)
    {
        if (y.Count == 0) return;
        var lines = AxisLines.Along(x, axis);
        var (team, launch, kept) = LineLaunch.Forward(lines, context.Info.MaxSharedBytesPerBlock);
        var (size, keeps, log) = ((int)lines.Size, kept ? 1 : 0, logarithm ? 1 : 0);
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        switch (team)
        {
            case LineTeam.ShortRow: context.Kernels.SoftmaxShortRowsForward(y.DType, launch, source, target, lines.Count, size, log); break;
            case LineTeam.Warp: context.Kernels.SoftmaxRowsForward(y.DType, launch, source, target, lines.Count, size, log); break;
            case LineTeam.Block: context.Kernels.SoftmaxBlockRowsForward(y.DType, launch, source, target, size, log); break;
            case LineTeam.LongRow: context.Kernels.SoftmaxLongRowsForward(y.DType, launch, source, target, size, keeps, log); break;
            case LineTeam.Thread: context.Kernels.SoftmaxColumnsForward(y.DType, launch, source, target, lines.Count, size, lines.Inner, log); break;
            default: context.Kernels.SoftmaxLongColumnsForward(y.DType, launch, source, target, lines.Count, size, lines.Inner, keeps, log); break;
        }
    }

    public void SoftmaxBackward(Tensor y, Tensor dy, int axis, bool logarithm, Tensor dx)
    {
        if (dx.Count == 0) return;
        var lines = AxisLines.Along(y, axis);
        var (team, launch, kept) = LineLaunch.Backward(lines, dx.DType, context.Info.MaxSharedBytesPerBlock);
        var (size, keeps, log) = ((int)lines.Size, kept ? 1 : 0, logarithm ? 1 : 0);
        using var output = y.OnDevice();
        using var gradient = dy.OnDevice();
        using var target = dx.OnDevice();
        switch (team)
        {
            case LineTeam.ShortRow: context.Kernels.SoftmaxShortRowsBackward(dx.DType, launch, output, gradient, target, lines.Count, size, log); break;
            case LineTeam.Warp: context.Kernels.SoftmaxRowsBackward(dx.DType, launch, output, gradient, target, lines.Count, size, log); break;
            case LineTeam.Block: context.Kernels.SoftmaxBlockRowsBackward(dx.DType, launch, output, gradient, target, size, log); break;
            case LineTeam.LongRow: context.Kernels.SoftmaxLongRowsBackward(dx.DType, launch, output, gradient, target, size, keeps, log); break;
            case LineTeam.Thread: context.Kernels.SoftmaxColumnsBackward(dx.DType, launch, output, gradient, target, lines.Count, size, lines.Inner, log); break;
            default: context.Kernels.SoftmaxLongColumnsBackward(dx.DType, launch, output, gradient, target, lines.Count, size, lines.Inner, keeps, log); break;
        }
    }
}
