namespace CnnNative.Training;

/// <summary>Where training stands: all that decides the next step, besides the tensors.</summary>
/// <param name="Epoch">Epochs that are complete.</param>
/// <param name="Batch">Batches of the epoch after those that are done; 0 at the end of an epoch.</param>
/// <param name="Step">Steps done in all.</param>
/// <param name="BatchSize">Images per step.</param>
/// <param name="LoaderSeed">Decides the order of the images in every epoch.</param>
/// <param name="GeneratorSeed">Key of the device's random numbers.</param>
/// <param name="GeneratorPosition">Streams of random numbers used so far.</param>
/// <param name="Train">Loss and hits of the epoch in progress, or of the last one.</param>
/// <param name="Test">Loss and hits over the test images at this point; null if it was not measured.</param>
public sealed record TrainingState(
    int Epoch, int Batch, long Step, int BatchSize, ulong LoaderSeed, ulong GeneratorSeed, ulong GeneratorPosition, Tally Train, Tally? Test);
