using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Batch normalisation: small channels in one launch, large ones as partial statistics, their joining, and a map. Scales, shifts and
/// statistics are Float32 whatever the tensor is.
/// </summary>
internal sealed class NativeNormalization(NativeContext context) : INormalization
{
    private const int MomentsBytes = 4 * sizeof(float), PairBytes = 2 * sizeof(float);

    public Tensor? BatchForward(
        Tensor x, Tensor? gamma, Tensor? beta, float eps, Tensor y, Tensor mean, Tensor inverseDeviation, in BatchNormTail tail,
        in RunningStatistics running)
    {
        CheckFloat(nameof(BatchForward), gamma, beta, mean, inverseDeviation, running.Mean, running.Variance);
        using var source = x.OnDevice();
        using var scale = gamma.OnDevice();
        using var shift = beta.OnDevice();
        using var target = y.OnDevice();
        using var means = mean.OnDevice();
        using var inverses = inverseDeviation.OnDevice();
        using var runningMeans = running.Mean.OnDevice();
        using var runningVariances = running.Variance.OnDevice();
        var plan = Plan(x, source.Pointer.Address | target.Pointer.Address);
        if (plan.Bundles == 0) return null;
        var output = new BatchNormOutput { Gamma = scale, Beta = shift, Clamp = ClampRange.Of(tail.Activation) };
        var statistics = new BatchStatistics
        {
            Mean = means, Inverse = inverses, RunningMean = runningMeans, RunningVariance = runningVariances, Momentum = running.Momentum, Eps = eps,
        };
        if (plan.IsSmall && tail.Residual is null)
        {
            plan = plan.Keeping(x.DType, tensors: 1, context.Info.MaxSharedBytesPerBlock);
            if (plan.ByRows) context.Kernels.BatchNormSmallRows(x.DType, plan.Launch, source, plan.Geometry, output, statistics, target);
            else context.Kernels.BatchNormSmallPlanes(x.DType, plan.Launch, source, plan.Geometry, output, statistics, target);
            return null;
        }

        Statistics(x.DType, plan, source, statistics);
        return Apply(x, source, means, inverses, output, target, tail);
    }

    public Tensor? BatchInference(
        Tensor x, Tensor? gamma, Tensor? beta, float eps, Tensor mean, Tensor variance, Tensor y, in BatchNormTail tail)
    {
        CheckFloat(nameof(BatchInference), gamma, beta, mean, variance);
        if (x.Count == 0) return null;
        using var source = x.OnDevice();
        using var scale = gamma.OnDevice();
        using var shift = beta.OnDevice();
        using var means = mean.OnDevice();
        using var variances = variance.OnDevice();
        using var target = y.OnDevice();
        using var inverses = context.Rent(variance.Bytes);
        InverseDeviation(variances, eps, (int)variance.Count, inverses);
        return Apply(x, source, means, inverses, new() { Gamma = scale, Beta = shift, Clamp = ClampRange.Of(tail.Activation) }, target, tail);
    }

    public void BatchBackward(
        Tensor x, Tensor dy, Tensor? gamma, Tensor mean, Tensor inverseDeviation, bool batchStatistics,
        Tensor? dx, Tensor? dgamma, Tensor? dbeta, in BatchNormGate gate)
    {
        CheckFloat(nameof(BatchBackward), gamma, gate.Beta, mean, inverseDeviation, dgamma, dbeta);
        using var source = x.OnDevice();
        using var gradient = dy.OnDevice();
        using var scale = gamma.OnDevice();
        using var means = mean.OnDevice();
        using var inverses = inverseDeviation.OnDevice();
        using var shift = gate.Beta.OnDevice();
        using var decisions = gate.Decisions.OnDevice();
        using var target = dx.OnDevice();
        using var residualTarget = gate.Dresidual.OnDevice();
        using var scaleGradient = dgamma.OnDevice();
        using var shiftGradient = dbeta.OnDevice();
        var plan = Plan(x, source.Pointer.Address | gradient.Pointer.Address | target.Pointer.Address | residualTarget.Pointer.Address);
        if (plan.Bundles == 0) return;
        var gradients = new BatchNormGradients
        {
            Gamma = scale, Beta = shift, Mean = means, Inverse = inverses, Dgamma = scaleGradient, Dbeta = shiftGradient,
            Decisions = decisions, Clamp = ClampRange.Of(gate.Activation), Gate = GateOf(gate),
            M = x.Shape[0] * x.Shape.CountFrom(2), Batch = batchStatistics ? 1 : 0,
        };
        var needsSums = batchStatistics || dgamma is not null || dbeta is not null;
        if (needsSums && plan.IsSmall) BackwardOfSmall(x.DType, plan.Keeping(x.DType, tensors: 2, context.Info.MaxSharedBytesPerBlock), source, gradient, gradients, target, residualTarget);
        else BackwardOfLarge(x, plan, source, gradient, gradients, needsSums, target, residualTarget);
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

    private static Gate GateOf(in BatchNormGate gate) =>
        gate.Activation == ActivationKind.Identity ? Gate.Open : gate.Decisions is null ? Gate.Recomputed : Gate.Recorded;

    private static void CheckFloat(string operation, params ReadOnlySpan<Tensor?> tensors)
    {
        foreach (var tensor in tensors)
        {
            if (tensor is not null) Require.DType(operation, "statistics and weights", tensor, DType.Float32);
        }
    }

    /// <summary>The map of the second pass. Returns a bit per element where the backward pass cannot find the activation's decisions in x.</summary>
    private Tensor? Apply(
        Tensor x, DevicePointer source, DevicePointer means, DevicePointer inverses, in BatchNormOutput output, DevicePointer target, in BatchNormTail tail)
    {
        if (x.Count == 0) return null;
        var records = tail is { ForGradient: true, Residual: not null, Activation: not ActivationKind.Identity };
        var decisions = records ? Tensor.Empty([Index32.Of("BatchNorm", (x.Count + 7) / 8)], DType.UInt8, x.Device) : null;
        using var residual = tail.Residual.OnDevice();
        using var bits = decisions.OnDevice();
        context.Kernels.BatchNormApply(x.DType, MapLaunch.For(x), source, residual, new(x), means, inverses, output, target, bits);
        return decisions;
    }

    private void InverseDeviation(DevicePointer variances, float eps, int channels, DevicePointer inverses)
    {
        if (channels > 0) context.Kernels.BatchNormInverseDeviation(MapLaunch.Over(channels), variances, eps, channels, inverses);
    }

    private void Statistics(DType type, in ChannelPlan plan, DevicePointer x, in BatchStatistics statistics)
    {
        using var parts = context.Rent((long)plan.Parts * plan.Geometry.Channels * MomentsBytes);
        if (plan.ByRows) context.Kernels.BatchNormStatisticsRows(type, plan.Launch, x, plan.Geometry, parts);
        else context.Kernels.BatchNormStatisticsPlanes(type, plan.Launch, x, plan.Geometry, parts);
        context.Kernels.BatchNormFinish(plan.FinishLaunch, parts, plan.Parts, plan.Geometry.Channels, statistics);
    }

    private void BackwardOfSmall(DType type, in ChannelPlan plan, DevicePointer x, DevicePointer dy, in BatchNormGradients gradients,
        DevicePointer dx, DevicePointer dresidual)
    {
        if (plan.ByRows) context.Kernels.BatchNormSmallBackwardRows(type, plan.Launch, x, dy, plan.Geometry, gradients, dx, dresidual);
        else context.Kernels.BatchNormSmallBackwardPlanes(type, plan.Launch, x, dy, plan.Geometry, gradients, dx, dresidual);
    }

    private void BackwardOfLarge(
        Tensor x, in ChannelPlan plan, DevicePointer source, DevicePointer dy, in BatchNormGradients gradients, bool needsSums,
        DevicePointer dx, DevicePointer dresidual)
    {
        using var sums = context.Rent((long)(plan.Parts + 1) * plan.Geometry.Channels * PairBytes);
        var means = sums.Pointer.Plus((long)plan.Parts * plan.Geometry.Channels * PairBytes);
        if (needsSums)
        {
            if (plan.ByRows) context.Kernels.BatchNormGradientSumsRows(x.DType, plan.Launch, source, dy, plan.Geometry, gradients, sums);
            else context.Kernels.BatchNormGradientSumsPlanes(x.DType, plan.Launch, source, dy, plan.Geometry, gradients, sums);
            context.Kernels.BatchNormGradientFinish(plan.FinishLaunch, sums, plan.Parts, plan.Geometry.Channels, gradients, means);
        }

        if (x.Count == 0 || (dx.IsNull && dresidual.IsNull)) return;
        context.Kernels.BatchNormInputGradient(
            x.DType, MapLaunch.For(x), source, dy, new(x), gradients, needsSums ? means : DevicePointer.Null, dx, dresidual);
    }
}
