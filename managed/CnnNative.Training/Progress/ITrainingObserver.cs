namespace CnnNative.Training;

/// <summary>Hears of the progress of a training, on the thread that trains. What it does not care about it leaves out.</summary>
public interface ITrainingObserver
{
    /// <summary>Training begins, or goes on.</summary>
    /// <param name="plan">What will be done.</param>
    void OnStart(TrainingPlan plan)
    {
    }

    /// <summary>A step was done.</summary>
    /// <param name="step">Where training stands.</param>
    void OnStep(in StepReport step)
    {
    }

    /// <summary>An epoch, or what the limit of steps left of it, was trained and validated.</summary>
    /// <param name="epoch">How it went.</param>
    void OnEpoch(EpochReport epoch)
    {
    }

    /// <summary>A checkpoint was written.</summary>
    /// <param name="path">The file.</param>
    void OnCheckpoint(string path)
    {
    }
}
