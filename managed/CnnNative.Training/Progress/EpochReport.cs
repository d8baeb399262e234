namespace CnnNative.Training;

/// <summary>How an epoch went.</summary>
/// <param name="Epoch">Epoch, from 1.</param>
/// <param name="Train">Loss and hits over its steps, while the weights were changing.</param>
/// <param name="Test">Loss and hits over the test images at its end.</param>
/// <param name="ImagesPerSecond">Images trained per second in this epoch, validation not counted.</param>
/// <param name="TrainingTime">Time spent training in this epoch.</param>
public sealed record EpochReport(int Epoch, Tally Train, Tally Test, double ImagesPerSecond, TimeSpan TrainingTime);
