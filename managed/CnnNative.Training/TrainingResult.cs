namespace CnnNative.Training;

/// <summary>How a training ended.</summary>
/// <param name="Epochs">Epochs trained, the last one perhaps in part; those of earlier runs included.</param>
/// <param name="Steps">Steps done; those of earlier runs included.</param>
/// <param name="Train">Loss and hits over the last epoch, while the weights were changing.</param>
/// <param name="Test">Loss and hits over the test images at the end; null after a cancellation.</param>
/// <param name="ImagesPerSecond">Images trained per second of training in this run, validation and checkpoints not counted; 0 if nothing was trained.</param>
/// <param name="PeakMemoryBytes">Most device memory that tensors held at a time.</param>
/// <param name="Cancelled">Whether it was stopped from outside before its end.</param>
public sealed record TrainingResult(
    int Epochs, long Steps, Tally Train, Tally? Test, double ImagesPerSecond, long PeakMemoryBytes, bool Cancelled);
