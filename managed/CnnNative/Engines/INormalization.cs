namespace CnnNative.Engines;

/// <summary>
/// Batch normalisation (Ioffe and Szegedy, 2015) of x (N, C) or (N, C, ...): per channel over all other dimensions,
/// y = gamma * (x - mean) / sqrt(variance + eps) + beta, and what stands behind it. Scale, shift and statistics are Float32 whatever x is.
/// </summary>
public interface INormalization
{
    /// <summary>Normalises by the statistics of this batch (variance over M elements divided by M) and stores them.</summary>
    /// <param name="x">Input (N, C, ...).</param>
    /// <param name="gamma">Scale (C), or null for 1.</param>
    /// <param name="beta">Shift (C), or null for 0.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="y">Output, overwritten.</param>
    /// <param name="mean">Mean of the batch (C), overwritten.</param>
    /// <param name="inverseDeviation">1 / sqrt(variance + eps) (C), overwritten.</param>
    /// <param name="tail">What follows within the operation.</param>
    /// <param name="running">What is updated by the statistics of this batch; for more than one element per channel.</param>
    /// <returns>What the engine's own <see cref="BatchBackward"/> must know of the activation's decisions; null where it needs nothing.</returns>
    Tensor? BatchForward(
        Tensor x, Tensor? gamma, Tensor? beta, float eps, Tensor y, Tensor mean, Tensor inverseDeviation, in BatchNormTail tail = default,
        in RunningStatistics running = default);

    /// <summary>Normalises by given statistics.</summary>
    /// <param name="x">Input (N, C, ...).</param>
    /// <param name="gamma">Scale (C), or null for 1.</param>
    /// <param name="beta">Shift (C), or null for 0.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="mean">Mean (C).</param>
    /// <param name="variance">Variance (C).</param>
    /// <param name="y">Output, overwritten.</param>
    /// <param name="tail">What follows within the operation.</param>
    /// <returns>As <see cref="BatchForward"/>.</returns>
    Tensor? BatchInference(
        Tensor x, Tensor? gamma, Tensor? beta, float eps, Tensor mean, Tensor variance, Tensor y, in BatchNormTail tail = default);

    /// <summary>Gradients. With batch statistics the mean and variance depend on x; with given statistics they do not.</summary>
    /// <param name="x">Input of the forward pass.</param>
    /// <param name="dy">Gradient by the output.</param>
    /// <param name="gamma">Scale (C), or null for 1.</param>
    /// <param name="mean">Mean used by the forward pass (C).</param>
    /// <param name="inverseDeviation">1 / sqrt(variance + eps) used by the forward pass (C).</param>
    /// <param name="batchStatistics">Whether the forward pass computed its statistics from x.</param>
    /// <param name="dx">Gradient by x, overwritten; null if not wanted.</param>
    /// <param name="dgamma">Gradient by gamma (C), overwritten; null if not wanted.</param>
    /// <param name="dbeta">Gradient by beta (C), overwritten; null if not wanted.</param>
    /// <param name="gate">What followed within the operation.</param>
    void BatchBackward(
        Tensor x, Tensor dy, Tensor? gamma, Tensor mean, Tensor inverseDeviation, bool batchStatistics,
        Tensor? dx, Tensor? dgamma, Tensor? dbeta, in BatchNormGate gate = default);

    /// <summary>1 / sqrt(variance + eps).</summary>
    /// <param name="variance">Variance (C).</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="inverseDeviation">Output (C), overwritten.</param>
    void InverseDeviation(Tensor variance, float eps, Tensor inverseDeviation);
}
