namespace CnnNative.Training;

/// <summary>What a trainer needs to know besides model and data.</summary>
/// <param name="Optimizer">The optimizer.</param>
/// <param name="ModelName">Name of the model, for the checkpoint.</param>
public sealed record TrainerSettings(OptimizerSettings Optimizer, string ModelName)
{
    /// <summary>How often all training images are seen.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Training ends after this many steps in all, even within an epoch; null for no limit.</summary>
    public long? MaxSteps { get; init; }

    /// <summary>Where a checkpoint is written at the end of every epoch and of the training; null for none.</summary>
    public string? CheckpointPath { get; init; }

    /// <summary>What the data is called in the checkpoint; the name of the data set if null.</summary>
    public string? Data { get; init; }

    /// <summary>Whether each step with a full batch runs as one CUDA graph; the device must be able to (<see cref="Device.CanCapture"/>).</summary>
    public bool Captured { get; init; }

    /// <summary>Throws unless every setting is in range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    internal void Validate()
    {
        if (Epochs < 1) throw new ArgumentOutOfRangeException(nameof(Epochs), $"epochs must be at least 1; it is {Epochs}");
        if (MaxSteps < 1) throw new ArgumentOutOfRangeException(nameof(MaxSteps), $"the limit of steps must be at least 1; it is {MaxSteps}");
    }
}
