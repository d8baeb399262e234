using CnnNative.Autograd;
using CnnNative.Engines;

namespace CnnNative;

public static partial class Functional
{
    /// <summary>
    /// Batch normalisation (Ioffe and Szegedy, 2015): per channel, y = weight * (x - mean) / sqrt(variance + eps) + bias,
    /// with the statistics of this batch in training and the running ones otherwise; then activation(y + residual).
    /// Statistics, weight and bias are Float32 whatever x is.
    /// </summary>
    /// <param name="x">Input (N, C) or (N, C, ...).</param>
    /// <param name="runningMean">Running mean (C), updated in training; null where none is kept.</param>
    /// <param name="runningVariance">Running unbiased variance (C), updated in training; null where none is kept.</param>
    /// <param name="weight">Scale (C), or null for 1.</param>
    /// <param name="bias">Shift (C), or null for 0.</param>
    /// <param name="training">Whether to use the statistics of this batch.</param>
    /// <param name="momentum">Weight of this batch in the running statistics.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="residual">Added before the activation, of the shape of x; null for nothing.</param>
    /// <param name="activation">A function applied to the result within the same operation.</param>
    /// <returns>Same shape and layout as x.</returns>
    /// <exception cref="ShapeException">A statistic or parameter is not (C), the residual not of the shape of x, or training with one element per channel.</exception>
    /// <exception cref="DTypeException">A statistic or parameter is not Float32, or the residual not of the type of x.</exception>
    public static Tensor BatchNorm(
        Tensor x, Tensor? runningMean, Tensor? runningVariance, Tensor? weight = null, Tensor? bias = null,
        bool training = false, float momentum = 0.1f, float eps = 1e-5f, Tensor? residual = null, ActivationKind activation = ActivationKind.Identity)
    {
        // What is not a clamp has a derivative that no bit can tell; it runs as an operation of its own.
        if (!ClampRange.Has(activation))
            return Activate(activation, BatchNorm(x, runningMean, runningVariance, weight, bias, training, momentum, eps, residual));

        const string operation = "BatchNorm";
        if (x.Rank < 2) throw new ShapeException(operation, $"x has shape {x.Shape}, expected (N, C) or (N, C, ...)");
        CheckChannels(x.Shape[1], (nameof(runningMean), runningMean), (nameof(runningVariance), runningVariance), (nameof(weight), weight), (nameof(bias), bias));
        Require.SameDevice(operation, x, runningMean, runningVariance, weight, bias, residual);
        Require.Computable(operation, x);
        if (residual is not null) SameShape(operation, x, residual);
        using var ordered = residual?.ToLayoutOrNull(x.Layout);
        var tail = new BatchNormTail(ordered ?? residual, activation, Tape.Records(x, weight, bias, residual));
        var result = training
            ? NormalizeByBatch(x, runningMean, runningVariance, weight, bias, momentum, eps, tail)
            : NormalizeByRunning(x, runningMean, runningVariance, weight, bias, eps, tail);
        return RecordBatchNorm(x, weight, bias, residual, activation, result);

        void CheckChannels(int count, params ReadOnlySpan<(string Name, Tensor? Tensor)> arguments)
        {
            foreach (var (name, tensor) in arguments)
            {
                Require.Shape(operation, name, tensor, [count]);
                if (tensor is not null) Require.DType(operation, name, tensor, DType.Float32);
            }
        }
    }

    /// <summary>What a forward pass leaves for the backward one.</summary>
    private readonly record struct Normalized(Tensor Y, Tensor Mean, Tensor InverseDeviation, bool BatchStatistics, Tensor? Decisions);

    private static Normalized NormalizeByBatch(
        Tensor x, Tensor? runningMean, Tensor? runningVariance, Tensor? weight, Tensor? bias, float momentum, float eps, in BatchNormTail tail)
    {
        var count = x.Shape[0] * x.Shape.CountFrom(2);
        if (count == 1) throw new ShapeException("BatchNorm", $"training needs more than one element per channel, x has shape {x.Shape}");
        var engine = x.Device.Engine.Normalization;
        var y = EmptyLike(x);
        var mean = Tensor.Empty([x.Shape[1]], DType.Float32, x.Device);
        var inverseDeviation = EmptyLike(mean);
        var keeps = runningMean is not null && runningVariance is not null && count > 0;
        var running = keeps ? new RunningStatistics(runningMean, runningVariance, momentum) : default;
        var decisions = engine.BatchForward(x, weight, bias, eps, y, mean, inverseDeviation, tail, running);
        return new(y, mean, inverseDeviation, BatchStatistics: true, decisions);
    }

    private static Normalized NormalizeByRunning(
        Tensor x, Tensor? runningMean, Tensor? runningVariance, Tensor? weight, Tensor? bias, float eps, in BatchNormTail tail)
    {
        if (runningMean is null || runningVariance is null)
            throw new ArgumentException("BatchNorm: without training, running mean and variance are needed");
        var engine = x.Device.Engine.Normalization;
        var y = EmptyLike(x);
        var decisions = engine.BatchInference(x, weight, bias, eps, runningMean, runningVariance, y, tail);
        if (!tail.ForGradient) return new(y, runningMean, runningVariance, BatchStatistics: false, decisions);

        // The running statistics may change before the gradient is asked for, so it keeps its own.
        var inverseDeviation = EmptyLike(runningVariance);
        engine.InverseDeviation(runningVariance, eps, inverseDeviation);
        return new(y, runningMean.Clone(), inverseDeviation, BatchStatistics: false, decisions);
    }

    private static Tensor RecordBatchNorm(
        Tensor x, Tensor? weight, Tensor? bias, Tensor? residual, ActivationKind activation, Normalized result)
    {
        var (y, mean, inverseDeviation, batchStatistics, decisions) = result;
        return Tape.Record("BatchNorm", y, [x, weight, bias, residual], (dy, needs) =>
        {
            var dx = needs[0] ? EmptyLike(x) : null;
            var dgamma = needs[1] ? EmptyLike(mean) : null;
            var dbeta = needs[2] ? EmptyLike(mean) : null;
            var dresidual = needs[3] ? activation == ActivationKind.Identity ? dy.Alias() : EmptyLike(x) : null;
            var gate = new BatchNormGate(activation, bias, decisions, activation == ActivationKind.Identity ? null : dresidual);
            x.Device.Engine.Normalization.BatchBackward(x, dy, weight, mean, inverseDeviation, batchStatistics, dx, dgamma, dbeta, gate);
            return [dx, dgamma, dbeta, InLayoutOf(residual, dresidual)];
        });
    }

    /// <summary>The gradient of a tensor in that tensor's layout. Takes the gradient.</summary>
    private static Tensor? InLayoutOf(Tensor? tensor, Tensor? gradient)
    {
        if (gradient is null || gradient.Layout == tensor!.Layout) return gradient;
        using (gradient) return gradient.ToLayout(tensor.Layout);
    }
}
