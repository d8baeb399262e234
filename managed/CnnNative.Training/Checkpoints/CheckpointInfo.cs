namespace CnnNative.Training;

/// <summary>The part of a checkpoint that is not tensors; kept as text in the file's metadata.</summary>
/// <param name="Model">The model.</param>
/// <param name="Optimizer">The optimizer.</param>
/// <param name="State">Where training stood.</param>
/// <param name="Data">What it was trained on, in the words of whoever trained it.</param>
public sealed record CheckpointInfo(ModelDescription Model, OptimizerSettings Optimizer, TrainingState State, string Data);
