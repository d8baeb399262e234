using System.Diagnostics;
using CnnNative.Layers;
using CnnNative.Optimizers;
using CnnNative.Vision;

namespace CnnNative.Training;

/// <summary>
/// Trains a classifier: epochs of steps, validation after each, checkpoints that resume bit for bit, and an end when the
/// loss is not finite.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly Module model;
    private readonly DataLoader train, test;
    private readonly TrainerSettings settings;
    private readonly ITrainingObserver? observer;
    private readonly Device device;
    private readonly Optimizer optimizer;
    private readonly StepLog log;
    private readonly TrainingStep trainingStep;
    private readonly Stopwatch training = new();
    private int epoch, batch;
    private long step, imagesTrained;
    private Tally trainTally;
    private Tally? testTally;

    /// <summary>Prepares a training.</summary>
    /// <param name="model">What to train, on the device of the loaders.</param>
    /// <param name="train">Images to learn from.</param>
    /// <param name="test">Images to judge by.</param>
    /// <param name="settings">Everything else.</param>
    /// <param name="observer">Hears of the progress; may be null.</param>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    /// <exception cref="EngineNotSupportedException">Captured steps were asked for, and the device has none.</exception>
    public Trainer(Module model, DataLoader train, DataLoader test, TrainerSettings settings, ITrainingObserver? observer = null)
    {
        settings.Validate();
        if (settings.Captured && !train.Device.CanCapture)
            throw new EngineNotSupportedException(train.Device.Engine.Name, "Trainer", "steps captured as CUDA graphs");
        (this.model, this.train, this.test, this.settings, this.observer) = (model, train, test, settings, observer);
        device = train.Device;
        optimizer = settings.Optimizer.Create(model.Parameters());
        log = new StepLog(device);
        trainingStep = new TrainingStep(model, optimizer, train.BatchSize, train.Dataset.ClassCount, settings.Captured, settings.Optimizer.ClipNorm);
    }

    /// <summary>Takes over weights, optimizer, random numbers and position of an earlier training, so that <see cref="Run"/> goes on where it stopped.</summary>
    /// <param name="checkpoint">What that training left.</param>
    /// <exception cref="StateDictException">It is a checkpoint of another model or optimizer.</exception>
    /// <exception cref="ArgumentException">It was made with another batch size or another order of the images.</exception>
    public void Resume(Checkpoint checkpoint)
    {
        var state = checkpoint.Info.State;
        if (state.BatchSize != train.BatchSize || state.LoaderSeed != train.Seed || state.Batch >= train.BatchCount)
            throw new ArgumentException(
                $"{checkpoint.Path} stands after batch {state.Batch} of {state.BatchSize} images in the order of seed {state.LoaderSeed}; "
                + $"the loader has {train.BatchCount} batches of {train.BatchSize} in the order of seed {train.Seed}");
        checkpoint.Restore(model);
        checkpoint.Restore(optimizer);
        (epoch, batch, step, trainTally, testTally) = (state.Epoch, state.Batch, state.Step, state.Train, state.Test);
        device.Random.Seed = state.GeneratorSeed;
        device.Random.Position = state.GeneratorPosition;
    }

    /// <summary>Trains to the end, or until it is cancelled: then the step in progress is finished and a checkpoint written.</summary>
    /// <param name="cancellation">Ends the training.</param>
    /// <exception cref="NonFiniteLossException">The loss is infinite or not a number; the last good checkpoint stays.</exception>
    /// <exception cref="IOException">A checkpoint cannot be written.</exception>
    public TrainingResult Run(CancellationToken cancellation = default)
    {
        device.Memory.ResetPeak();
        observer?.OnStart(Plan());
        do
        {
            var (epochInProgress, time, images) = (Math.Min(epoch + 1, settings.Epochs), training.Elapsed, imagesTrained);
            if (!IsTrained) TrainEpoch(cancellation);
            Validate(cancellation);
            Save();
            Report(epochInProgress, training.Elapsed - time, imagesTrained - images);
        }
        while (!IsTrained && !cancellation.IsCancellationRequested);

        return new TrainingResult(
            EpochsBegun, step, trainTally, testTally, ImagesPerSecond, device.Memory.Statistics.PeakLiveBytes, Cancelled: testTally is null || !IsTrained);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        trainingStep.Dispose();
        log.Dispose();
        optimizer.Dispose();
    }

    private bool IsTrained => epoch >= settings.Epochs || step >= settings.MaxSteps;

    private int EpochsBegun => batch == 0 ? epoch : epoch + 1;

    private double ImagesPerSecond => Rate(imagesTrained, training.Elapsed);

    /// <summary>The training loop: from the present position to the end of the epoch, the last step allowed, or a cancellation.</summary>
    private void TrainEpoch(CancellationToken cancellation)
    {
        if (batch == 0) trainTally = default;
        testTally = null;
        model.Train();
        training.Start();
        foreach (var (images, labels) in train.Epoch(epoch, batch))
        {
            using var scope = device.Step();
            optimizer.LearningRate = settings.Optimizer.RateAt(step);
            var (loss, scores) = trainingStep.Run(images, labels);
            log.Add(loss, scores, labels);
            Advance(labels.Shape[0]);
            if (step >= settings.MaxSteps || cancellation.IsCancellationRequested) break;
        }

        CheckLosses();
        training.Stop();
        if (batch == train.BatchCount) (epoch, batch) = (epoch + 1, 0);
    }

    private void Advance(int images)
    {
        batch++;
        step++;
        imagesTrained += images;
        if (log.IsFull) CheckLosses();
        observer?.OnStep(new StepReport(epoch + 1, batch, train.BatchCount, trainTally, ImagesPerSecond));
    }

    /// <summary>Reads the losses of the last steps into the tally.</summary>
    private void CheckLosses()
    {
        var firstStep = step - log.Count + 1;
        trainTally = log.Drain(trainTally, out var bad);
        if (bad is { } found) throw new NonFiniteLossException("the loss", epoch + 1, firstStep + found.Place, found.Loss, optimizer.LearningRate);
    }

    private void Validate(CancellationToken cancellation)
    {
        try
        {
            testTally = Evaluator.Run(model, test, cancellation).Tally;
        }
        catch (OperationCanceledException)
        {
            testTally = null;
            return;
        }

        var loss = testTally.Value.Loss;
        if (!double.IsFinite(loss))
            throw new NonFiniteLossException("the loss over the test images", EpochsBegun, step, (float)loss, optimizer.LearningRate);
    }

    private void Save()
    {
        if (settings.CheckpointPath is not { } path) return;
        var state = new TrainingState(
            epoch, batch, step, train.BatchSize, train.Seed, device.Random.Seed, device.Random.Position, trainTally, testTally);
        Checkpoint.Save(path, model, optimizer, new CheckpointInfo(Describe(), settings.Optimizer, state, settings.Data ?? train.Dataset.Name));
        observer?.OnCheckpoint(path);
    }

    private void Report(int trainedEpoch, TimeSpan time, long images)
    {
        if (testTally is { } measured) observer?.OnEpoch(new EpochReport(trainedEpoch, trainTally, measured, Rate(images, time), time));
    }

    private TrainingPlan Plan() => new(
        Describe(), model.Parameters().Sum(parameter => parameter.Count), settings.Optimizer, device, settings.Data ?? train.Dataset.Name,
        train.Dataset.Count, test.Dataset.Count, train.BatchSize, settings.Epochs, step);

    private ModelDescription Describe() =>
        new(settings.ModelName, train.Dataset.ImageShape, train.Dataset.ClassNames, train.Normalization);

    private static double Rate(long images, TimeSpan time) => images == 0 ? 0 : images / time.TotalSeconds;
}
