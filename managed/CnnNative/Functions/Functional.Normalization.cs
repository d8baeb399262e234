using CnnNative.Autograd;

namespace CnnNative;

public static partial class Functional
{
    /// <summary>
    /// Batch normalisation (Ioffe and Szegedy, 2015): per channel, y = weight * (x - mean) / sqrt(variance + eps) + bias,
    /// with the statistics of this batch in training and the running ones otherwise.
    /// </summary>
    /// <param name="x">Input (N, C) or (N, C, ...).</param>
    /// <param name="runningMean">Running mean (C), updated in training; null where none is kept.</param>
    /// <param name="runningVariance">Running unbiased variance (C), updated in training; null where none is kept.</param>
    /// <param name="weight">Scale (C), or null for 1.</param>
    /// <param name="bias">Shift (C), or null for 0.</param>
    /// <param name="training">Whether to use the statistics of this batch.</param>
    /// <param name="momentum">Weight of this batch in the running statistics.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <returns>Same shape and layout as x.</returns>
    /// <exception cref="ShapeException">A statistic or parameter is not (C), or training with one element per channel.</exception>
    public static Tensor BatchNorm(
        Tensor x, Tensor? runningMean, Tensor? runningVariance, Tensor? weight = null, Tensor? bias = null,
        bool training = false, float momentum = 0.1f, float eps = 1e-5f)
    {
        const string operation = "BatchNorm";
        if (x.Rank < 2) throw new ShapeException(operation, $"x has shape {x.Shape}, expected (N, C) or (N, C, ...)");
        Shape channels = [x.Shape[1]];
        Require.SameDevice(operation, x, runningMean, runningVariance, weight, bias);
        Require.Shape(operation, nameof(runningMean), runningMean, channels);
        Require.Shape(operation, nameof(runningVariance), runningVariance, channels);
        Require.Shape(operation, nameof(weight), weight, channels);
        Require.Shape(operation, nameof(bias), bias, channels);
        return training
            ? NormalizeByBatch(x, runningMean, runningVariance, weight, bias, momentum, eps)
            : NormalizeByRunning(x, runningMean, runningVariance, weight, bias, eps);
    }

    private static Tensor NormalizeByBatch(
        Tensor x, Tensor? runningMean, Tensor? runningVariance, Tensor? weight, Tensor? bias, float momentum, float eps)
    {
        var count = x.Shape[0] * x.Shape.CountFrom(2);
        if (count == 1) throw new ShapeException("BatchNorm", $"training needs more than one element per channel, x has shape {x.Shape}");
        var engine = x.Device.Engine.Normalization;
        var y = EmptyLike(x);
        var mean = Tensor.Empty([x.Shape[1]], x.DType, x.Device);
        var inverseDeviation = EmptyLike(mean);
        engine.BatchForward(x, weight, bias, eps, y, mean, inverseDeviation);
        if (runningMean is not null && runningVariance is not null && count > 0)
            engine.UpdateRunning(mean, inverseDeviation, eps, count, momentum, runningMean, runningVariance);
        return RecordBatchNorm(x, weight, bias, y, mean, inverseDeviation, batchStatistics: true);
    }

    private static Tensor NormalizeByRunning(
        Tensor x, Tensor? runningMean, Tensor? runningVariance, Tensor? weight, Tensor? bias, float eps)
    {
        if (runningMean is null || runningVariance is null)
            throw new ArgumentException("BatchNorm: without training, running mean and variance are needed");
        var engine = x.Device.Engine.Normalization;
        var y = EmptyLike(x);
        engine.BatchInference(x, weight, bias, eps, runningMean, runningVariance, y);
        if (!Tape.Records(x, weight, bias)) return y;

        // The running statistics may change before the gradient is asked for, so it keeps its own.
        var inverseDeviation = EmptyLike(runningVariance);
        engine.InverseDeviation(runningVariance, eps, inverseDeviation);
        return RecordBatchNorm(x, weight, bias, y, runningMean.Clone(), inverseDeviation, batchStatistics: false);
    }

    private static Tensor RecordBatchNorm(
        Tensor x, Tensor? weight, Tensor? bias, Tensor y, Tensor mean, Tensor inverseDeviation, bool batchStatistics) =>
        Tape.Record("BatchNorm", y, [x, weight, bias], (dy, needs) =>
        {
            var dx = needs[0] ? EmptyLike(x) : null;
            var dgamma = needs[1] ? EmptyLike(mean) : null;
            var dbeta = needs[2] ? EmptyLike(mean) : null;
            x.Device.Engine.Normalization.BatchBackward(x, dy, weight, mean, inverseDeviation, batchStatistics, dx, dgamma, dbeta);
            return [dx, dgamma, dbeta];
        });
}
