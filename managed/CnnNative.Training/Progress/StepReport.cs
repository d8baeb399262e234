namespace CnnNative.Training;

/// <summary>Where training stands after a step.</summary>
/// <param name="Epoch">Epoch, from 1.</param>
/// <param name="Batch">Batches of this epoch that are done.</param>
/// <param name="Batches">Batches of an epoch.</param>
/// <param name="Train">Loss and hits of this epoch as far as they are known: they are read every few steps.</param>
/// <param name="ImagesPerSecond">Images trained per second of training so far.</param>
public readonly record struct StepReport(int Epoch, int Batch, int Batches, Tally Train, double ImagesPerSecond);
