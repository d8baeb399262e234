using CnnNative.Layers;
using NUnit.Framework;

namespace CnnNative.Training.Tests;

public sealed class TrainerTests : TrainingFixture
{
    private static readonly OptimizerSettings Good = new(OptimizerKind.Sgd, 0.05f, Momentum: 0.9f);
    private Sequential model = new();

    [SetUp]
    public void MakeModel()
    {
        Device.Random.Seed = 5;
        model = TinyProblem.Network(Device);
    }

    [TearDown]
    public void FreeModel() => model.DisposeParameters();

    [Test]
    public void Learns()
    {
        var recorder = new Recorder();
        var result = Train(new TrainerSettings(Good, "tiny") { Epochs = 12 }, recorder);
        Assert.That(result.Test!.Value.Accuracy, Is.GreaterThan(0.9));
        Assert.That(recorder.Epochs[^1].Train.Loss, Is.LessThan(0.6 * recorder.Epochs[0].Train.Loss));
    }

    [Test]
    public void Reports_every_step_and_epoch_in_order()
    {
        var recorder = new Recorder();
        var result = Train(new TrainerSettings(Good, "tiny") { Epochs = 3, CheckpointPath = File("a.safetensors") }, recorder);
        var expected = from epoch in Enumerable.Range(1, 3) from batch in Enumerable.Range(1, 7) select (epoch, batch, 7);
        Assert.Multiple(() =>
        {
            Assert.That(recorder.Plan!.TrainImages, Is.EqualTo(65));
            Assert.That(recorder.Plan.Parameters, Is.EqualTo(40 + 8 + 64 * 16 + 16 + 16 * 4 + 4));
            Assert.That(recorder.Steps.Select(step => (step.Epoch, step.Batch, step.Batches)), Is.EqualTo(expected));
            Assert.That(recorder.Epochs.Select(epoch => epoch.Epoch), Is.EqualTo(new[] { 1, 2, 3 }));
            Assert.That(recorder.Epochs.Select(epoch => epoch.Train.Images), Is.All.EqualTo(65));
            Assert.That(recorder.Epochs.Select(epoch => epoch.Test.Images), Is.All.EqualTo(40));
            Assert.That(recorder.Checkpoints, Is.EqualTo(Enumerable.Repeat(File("a.safetensors"), 3)));
            Assert.That((result.Epochs, result.Steps, result.Cancelled), Is.EqualTo((3, 21, false)));
            Assert.That(result.Train, Is.EqualTo(recorder.Epochs[^1].Train));
            Assert.That(result.Test, Is.EqualTo(recorder.Epochs[^1].Test));
            Assert.That(result.ImagesPerSecond, Is.Positive.And.LessThan(1e9));
        });
    }

    [TestCase(1, 1)]
    [TestCase(7, 1)]
    [TestCase(9, 2)]
    public void Stops_after_the_limit_of_steps(int limit, int epochs)
    {
        var recorder = new Recorder();
        var result = Train(new TrainerSettings(Good, "tiny") { Epochs = 5, MaxSteps = limit }, recorder);
        Assert.That((result.Steps, result.Epochs, result.Cancelled), Is.EqualTo((limit, epochs, false)));
        Assert.That((recorder.Steps.Count, recorder.Epochs.Count), Is.EqualTo((limit, epochs)));
        Assert.That(result.Test, Is.Not.Null);
    }

    [Test]
    public void Finishes_the_step_and_saves_when_it_is_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var recorder = new Recorder { OnEachStep = step => { if (step is { Epoch: 2, Batch: 3 }) cancellation.Cancel(); } };
        var result = Train(new TrainerSettings(Good, "tiny") { Epochs = 5, CheckpointPath = File("a.safetensors") }, recorder, cancellation.Token);
        Assert.That((result.Cancelled, result.Steps, result.Test), Is.EqualTo((true, 10, (Tally?)null)));
        using var checkpoint = Checkpoint.Load(File("a.safetensors"), Device);
        var state = checkpoint.Info.State;
        Assert.That((state.Epoch, state.Batch, state.Step, state.Train.Images), Is.EqualTo((1, 3, 10, 30)));
    }

    [Test]
    public void A_loss_that_is_not_finite_ends_the_training_and_leaves_the_good_checkpoint()
    {
        var path = File("a.safetensors");
        Train(new TrainerSettings(Good, "tiny") { CheckpointPath = path });
        var good = System.IO.File.ReadAllBytes(path);
        // A weight that is no number shows in the next loss: the first of this run, which is read with the 21 steps of its window.
        Spoil();
        var recorder = new Recorder();
        var error = Assert.Throws<NonFiniteLossException>(() => Train(new TrainerSettings(Good, "tiny") { Epochs = 9, CheckpointPath = path }, recorder));
        Assert.Multiple(() =>
        {
            Assert.That((error.Epoch, error.Step, error.LearningRate), Is.EqualTo((1, 1L, 0.05f)));
            Assert.That(error.Loss, Is.NaN);
            Assert.That(error.Message, Does.Contain("the loss is NaN in step 1 of epoch 1, at learning rate 0.05"));
            Assert.That(recorder.Steps, Has.Count.EqualTo(7), "found at the end of the epoch at the latest");
            Assert.That(System.IO.File.ReadAllBytes(path), Is.EqualTo(good));
            Assert.That(Files(), Is.EqualTo(new[] { "a.safetensors" }));
        });
    }

    [Test]
    public void Names_the_step_whose_loss_was_the_first_that_is_not_finite()
    {
        var recorder = new Recorder { OnEachStep = step => { if (step is { Epoch: 2, Batch: 4 }) Spoil(); } };
        var error = Assert.Throws<NonFiniteLossException>(() => Train(new TrainerSettings(Good, "tiny") { Epochs = 9 }, recorder));
        Assert.That((error.Epoch, error.Step), Is.EqualTo((2, 12L)));
    }

    [Test]
    public void A_learning_rate_that_is_far_too_large_is_found_out()
    {
        var settings = new TrainerSettings(new OptimizerSettings(OptimizerKind.Sgd, 1e30f), "tiny") { Epochs = 9, CheckpointPath = File("a.safetensors") };
        Assert.Throws<NonFiniteLossException>(() => Train(settings));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public void Weights_that_broke_in_the_very_last_step_are_not_saved()
    {
        using var cancellation = new CancellationTokenSource();
        var recorder = new Recorder { OnEachStep = step => { if (step.Batch == 3) { Spoil(); cancellation.Cancel(); } } };
        var settings = new TrainerSettings(Good, "tiny") { CheckpointPath = File("a.safetensors") };
        var error = Assert.Throws<NonFiniteLossException>(() => Train(settings, recorder, cancellation.Token));
        Assert.That(error.Message, Does.Contain("an element of 9.weight is NaN in step 3 of epoch 1"));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public void Memory_is_flat_from_step_to_step()
    {
        long early = 0, allocations = 0;
        var recorder = new Recorder
        {
            OnEachStep = step =>
            {
                if (step is { Epoch: 2, Batch: 1 }) (early, allocations) = (Device.Memory.Statistics.LiveBytes, Device.Memory.Statistics.BackendAllocations);
                if (step is { Epoch: > 2, Batch: 1 }) Assert.That(Device.Memory.Statistics.LiveBytes, Is.EqualTo(early), $"epoch {step.Epoch}");
            },
        };
        var result = Train(new TrainerSettings(Good, "tiny") { Epochs = 30 }, recorder);
        Assert.That(Device.Memory.Statistics.BackendAllocations, Is.EqualTo(allocations).Within(8), "a loader may be a batch ahead at another moment");
        Assert.That(result.PeakMemoryBytes, Is.InRange(early, 4 * early));
    }

    [TestCase(0, null, "epochs must be at least 1; it is 0")]
    [TestCase(1, 0L, "the limit of steps must be at least 1; it is 0")]
    public void Refuses_settings_out_of_range(int epochs, long? maxSteps, string problem)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Train(new TrainerSettings(Good, "tiny") { Epochs = epochs, MaxSteps = maxSteps }));
        Assert.That(error.Message, Does.StartWith(problem));
    }

    private TrainingResult Train(TrainerSettings settings, Recorder? recorder = null, CancellationToken cancellation = default)
    {
        var (train, test) = TinyProblem.Loaders(Device);
        using var trainer = new Trainer(model, train, test, settings, recorder);
        return trainer.Run(cancellation);
    }

    private void Spoil()
    {
        var last = model.StateDict()["9.weight"];
        Initialize.Constant(last, float.NaN);
    }
}
