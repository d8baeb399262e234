namespace CnnNative.Training.Tests;

/// <summary>Notes what a trainer reports.</summary>
internal sealed class Recorder : ITrainingObserver
{
    public TrainingPlan? Plan { get; private set; }

    public List<StepReport> Steps { get; } = [];

    public List<EpochReport> Epochs { get; } = [];

    public List<string> Checkpoints { get; } = [];

    /// <summary>Called after each step.</summary>
    public Action<StepReport>? OnEachStep { get; init; }

    public void OnStart(TrainingPlan plan) => Plan = plan;

    public void OnStep(in StepReport step)
    {
        Steps.Add(step);
        OnEachStep?.Invoke(step);
    }

    public void OnEpoch(EpochReport epoch) => Epochs.Add(epoch);

    public void OnCheckpoint(string path) => Checkpoints.Add(path);
}
