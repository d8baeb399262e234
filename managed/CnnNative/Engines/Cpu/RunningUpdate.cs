namespace CnnNative.Engines.Cpu;

/// <summary><see cref="RunningStatistics"/> in pinned memory; null pointers: none are kept.</summary>
internal readonly unsafe struct RunningUpdate(float* mean, float* variance, float momentum)
{
    private readonly float* mean = mean, variance = variance;
    private readonly double weight = momentum;

    /// <summary>Takes in the statistics of a batch of so many elements in one channel; the variance is that divided by their number.</summary>
    public void Take(long channel, double batchMean, double batchVariance, long count)
    {
        if (mean is null) return;
        mean[channel] = (float)((1 - weight) * mean[channel] + weight * batchMean);
        variance[channel] = (float)((1 - weight) * variance[channel] + weight * (batchVariance * count / (count - 1)));
    }
}
