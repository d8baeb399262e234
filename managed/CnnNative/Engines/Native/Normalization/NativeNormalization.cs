using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Batch normalisation: small channels in one launch, large ones as partial statistics, their joining, and a map. Scales, shifts and
/// statistics are Float32 whatever the tensor is.
/// </summary>
internal sealed class NativeNormalization(NativeContext context) : INormalization
{
    private const int MomentsBytes = 4 * sizeof(float), PairBytes = 2 * sizeof(float);

    public void BatchForward(Tensor x, Tensor? gamma, Tensor? beta, float eps, Tensor y, Tensor mean, Tensor inverseDeviation)
    {
        CheckFloat(nameof(BatchForward), gamma, beta, mean, inverseDeviation);
        using var source = x.OnDevice();
        using var scale = gamma.OnDevice();
        using var shift = beta.OnDevice();
        using var target = y.OnDevice();
        using var means = mean.OnDevice();
        using var inverses = inverseDeviation.OnDevice();
        var plan = Plan(x, source.Pointer.Address | target.Pointer.Address);
        if (plan.Bundles == 0) return;
        if (!plan.IsSmall)
        {
            Statistics(x.DType, plan, source, eps, means, inverses);
            context.Kernels.BatchNormApply(x.DType, MapLaunch.For(x), source, new(x), means, inverses, scale, shift, target);
        }
        else if (plan.ByRows)
        {
            context.Kernels.BatchNormSmallRows(x.DType, plan.Launch, source, plan.Geometry, scale, shift, eps, target, means, inverses);
        }
        else
        {
            context.Kernels.BatchNormSmallPlanes(x.DType, plan.Launch, source, plan.Geometry, scale, shift, eps, target, means, inverses);
        }
    }

    public void UpdateRunning(
        Tensor mean, Tensor inverseDeviation, float eps, long count, float momentum, Tensor runningMean, Tensor runningVariance)
    {
        CheckFloat(nameof(UpdateRunning), mean, inverseDeviation, runningMean, runningVariance);
        if (mean.Count == 0) return;
        using var means = mean.OnDevice();
        using var inverses = inverseDeviation.OnDevice();
        using var runningMeans = runningMean.OnDevice();
        using var runningVariances = runningVariance.OnDevice();
        context.Kernels.BatchNormUpdateRunning(
            MapLaunch.Over(mean.Count), means, inverses, eps, count, momentum, (int)mean.Count, runningMeans, runningVariances);
    }

    public void BatchInference(Tensor x, Tensor? gamma, Tensor? beta, float eps, Tensor mean, Tensor variance, Tensor y)
    {
        CheckFloat(nameof(BatchInference), gamma, beta, mean, variance);
        if (x.Count == 0) return;
        using var source = x.OnDevice();
        using var scale = gamma.OnDevice();
        using var shift = beta.OnDevice();
        using var means = mean.OnDevice();
        using var variances = variance.OnDevice();
        using var target = y.OnDevice();
        using var inverses = context.Rent(variance.Bytes);
        InverseDeviation(variances, eps, (int)variance.Count, inverses);
        context.Kernels.BatchNormApply(x.DType, MapLaunch.For(x), source, new(x), means, inverses, scale, shift, target);
    }

    public void BatchBackward(
        Tensor x, Tensor dy, Tensor? gamma, Tensor mean, Tensor inverseDeviation, bool batchStatistics,
        Tensor? dx, Tensor? dgamma, Tensor? dbeta)
    {
        CheckFloat(nameof(BatchBackward), gamma, mean, inverseDeviation, dgamma, dbeta);
        using var source = x.OnDevice();
        using var gradient = dy.OnDevice();
        using var scale = gamma.OnDevice();
        using var means = mean.OnDevice();
        using var inverses = inverseDeviation.OnDevice();
        using var target = dx.OnDevice();
        using var scaleGradient = dgamma.OnDevice();
        using var shiftGradient = dbeta.OnDevice();
        var plan = Plan(x, source.Pointer.Address | gradient.Pointer.Address | target.Pointer.Address);
        if (plan.Bundles == 0) return;
        var gradients = new BatchNormGradients
        {
            Gamma = scale, Mean = means, Inverse = inverses, Dgamma = scaleGradient, Dbeta = shiftGradient,
            M = x.Shape[0] * x.Shape.CountFrom(2), Batch = batchStatistics ? 1 : 0,
        };
        var needsSums = batchStatistics || dgamma is not null || dbeta is not null;
        if (needsSums && plan.IsSmall) BackwardOfSmall(x.DType, plan, source, gradient, gradients, target);
        else BackwardOfLarge(x, plan, source, gradient, gradients, needsSums, target);
    }

    public void InverseDeviation(Tensor variance, float eps, Tensor inverseDeviation)
    {
        CheckFloat(nameof(InverseDeviation), variance, inverseDeviation);
        using var variances = variance.OnDevice();
        using var inverses = inverseDeviation.OnDevice();
        InverseDeviation(variances, eps, (int)variance.Count, inverses);
    }

    private static ChannelPlan Plan(Tensor x, ulong addresses) =>
        ChannelPlan.For(x.Shape[0], x.Shape[1], x.Shape.CountFrom(2), x.Layout, x.DType, addresses % 16 == 0);

    private static void CheckFloat(string operation, params ReadOnlySpan<Tensor?> tensors)
    {
        foreach (var tensor in tensors)
        {
            if (tensor is not null) Require.DType(operation, "statistics and weights", tensor, DType.Float32);
        }
    }

    private void InverseDeviation(DevicePointer variances, float eps, int channels, DevicePointer inverses)
    {
        if (channels > 0) context.Kernels.BatchNormInverseDeviation(MapLaunch.Over(channels), variances, eps, channels, inverses);
    }

    private void Statistics(DType type, in ChannelPlan plan, DevicePointer x, float eps, DevicePointer means, DevicePointer inverses)
    {
        using var parts = context.Rent((long)plan.Parts * plan.Geometry.Channels * MomentsBytes);
        if (plan.ByRows) context.Kernels.BatchNormStatisticsRows(type, plan.Launch, x, plan.Geometry, parts);
        else context.Kernels.BatchNormStatisticsPlanes(type, plan.Launch, x, plan.Geometry, parts);
        context.Kernels.BatchNormFinish(plan.FinishLaunch, parts, plan.Parts, plan.Geometry.Channels, eps, means, inverses);
    }

    private void BackwardOfSmall(DType type, in ChannelPlan plan, DevicePointer x, DevicePointer dy, in BatchNormGradients gradients, DevicePointer dx)
    {
        if (plan.ByRows) context.Kernels.BatchNormSmallBackwardRows(type, plan.Launch, x, dy, plan.Geometry, gradients, dx);
        else context.Kernels.BatchNormSmallBackwardPlanes(type, plan.Launch, x, dy, plan.Geometry, gradients, dx);
    }

    private void BackwardOfLarge(
        Tensor x, in ChannelPlan plan, DevicePointer source, DevicePointer dy, in BatchNormGradients gradients, bool needsSums, DevicePointer dx)
    {
        using var sums = context.Rent((long)(plan.Parts + 1) * plan.Geometry.Channels * PairBytes);
        var means = sums.Pointer.Plus((long)plan.Parts * plan.Geometry.Channels * PairBytes);
        if (needsSums)
        {
            if (plan.ByRows) context.Kernels.BatchNormGradientSumsRows(x.DType, plan.Launch, source, dy, plan.Geometry, gradients.Mean, sums);
            else context.Kernels.BatchNormGradientSumsPlanes(x.DType, plan.Launch, source, dy, plan.Geometry, gradients.Mean, sums);
            context.Kernels.BatchNormGradientFinish(plan.FinishLaunch, sums, plan.Parts, plan.Geometry.Channels, gradients, means);
        }

        if (dx.IsNull || x.Count == 0) return;
        context.Kernels.BatchNormInputGradient(
            x.DType, MapLaunch.For(x), source, dy, new(x), gradients, needsSums ? means : DevicePointer.Null, dx);
    }
}
