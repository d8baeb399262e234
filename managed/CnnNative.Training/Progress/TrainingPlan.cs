namespace CnnNative.Training;

/// <summary>What a training is about to do.</summary>
/// <param name="Model">The model.</param>
/// <param name="Parameters">Its trained numbers.</param>
/// <param name="Optimizer">The optimizer.</param>
/// <param name="Device">Where it runs.</param>
/// <param name="Data">What the data is called.</param>
/// <param name="TrainImages">Images to learn from.</param>
/// <param name="TestImages">Images to judge by.</param>
/// <param name="BatchSize">Images per step.</param>
/// <param name="Epochs">Epochs in all.</param>
/// <param name="FirstStep">Steps that an earlier run did.</param>
public sealed record TrainingPlan(
    ModelDescription Model, long Parameters, OptimizerSettings Optimizer, Device Device, string Data,
    int TrainImages, int TestImages, int BatchSize, int Epochs, long FirstStep);
