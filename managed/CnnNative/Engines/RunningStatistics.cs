namespace CnnNative.Engines;

/// <summary>
/// Statistics over many batches, which a training step of a batch normalisation updates: running = (1 - momentum) * running + momentum * batch,
/// where the batch's variance is the unbiased one, divided by M - 1.
/// </summary>
/// <param name="Mean">Running mean (C), updated; null where none is kept, as is the variance then.</param>
/// <param name="Variance">Running variance (C), updated.</param>
/// <param name="Momentum">Weight of the batch.</param>
public readonly record struct RunningStatistics(Tensor? Mean = null, Tensor? Variance = null, float Momentum = 0f);
