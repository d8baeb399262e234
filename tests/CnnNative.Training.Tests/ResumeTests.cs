using CnnNative.Serialization;
using NUnit.Framework;

namespace CnnNative.Training.Tests;

/// <summary>Training that stops and goes on gives the same bits as training that does not stop.</summary>
public sealed class ResumeTests : TrainingFixture
{
    private static readonly OptimizerSettings Momentum = new(OptimizerKind.Sgd, 0.05f, Momentum: 0.9f, WeightDecay: 1e-4f, RateDecay: 0.01f, ClipNorm: 0.5f);
    private static readonly OptimizerSettings Adam = new(OptimizerKind.Adam, 0.003f);

    /// <summary>Steps before the stop, of 28 in four epochs of seven: in the first epoch, at its end, within a later one, just before one ends.</summary>
    private static IEnumerable<TestCaseData> Stops() =>
        from optimizer in new[] { Momentum, Adam }
        from stop in new[] { 1, 7, 10, 20 }
        select new TestCaseData(optimizer, stop).SetArgDisplayNames(optimizer.Kind.ToString(), stop.ToString());

    [TestCaseSource(nameof(Stops))]
    public void Goes_on_bit_for_bit_after_a_limit_of_steps(OptimizerSettings optimizer, int stop)
    {
        Train(Device, optimizer, "whole", maxSteps: null);
        Train(Device, optimizer, "part", maxSteps: stop);
        Train(Device, optimizer, "part", maxSteps: null, resume: "part");
        AssertSame("whole", "part");
    }

    [Test]
    public void Goes_on_bit_for_bit_on_a_new_device_after_a_cancellation()
    {
        Train(Device, Adam, "whole", maxSteps: null);
        using (var other = new CpuDevice(2))
        {
            using var cancellation = new CancellationTokenSource();
            var result = Train(other, Adam, "part", maxSteps: null, cancelAt: 10, cancellation: cancellation);
            Assert.That((result.Cancelled, result.Steps), Is.EqualTo((true, 10)));
        }

        using (var other = new CpuDevice(2))
        {
            var result = Train(other, Adam, "part", maxSteps: null, resume: "part");
            Assert.That((result.Cancelled, result.Steps), Is.EqualTo((false, 28)));
        }

        AssertSame("whole", "part");
    }

    [Test]
    public void Goes_on_bit_for_bit_through_many_stops()
    {
        Train(Device, Momentum, "whole", maxSteps: null);
        Train(Device, Momentum, "part", maxSteps: 3);
        for (var stop = 6; stop < 28; stop += 3) Train(Device, Momentum, "part", maxSteps: stop, resume: "part");
        Train(Device, Momentum, "part", maxSteps: null, resume: "part");
        AssertSame("whole", "part");
    }

    [Test]
    public void A_finished_training_is_measured_and_saved_again()
    {
        var before = Train(Device, Adam, "whole", maxSteps: null);
        var after = Train(Device, Adam, "copy", maxSteps: null, resume: "whole");
        Assert.That((after.Test, after.Steps, after.ImagesPerSecond), Is.EqualTo((before.Test, before.Steps, 0.0)));
        AssertSame("whole", "copy");
    }

    [Test]
    public void Refuses_another_order_of_images()
    {
        Train(Device, Adam, "a", maxSteps: 3);
        var error = Assert.Throws<ArgumentException>(() => Train(Device, Adam, "b", maxSteps: null, resume: "a", batchSize: 13));
        Assert.That(error.Message, Does.Contain("after batch 3 of 10 images").And.Contain("batches of 13"));
    }

    [Test]
    public void Refuses_the_state_of_another_optimizer()
    {
        Train(Device, Adam, "a", maxSteps: 3);
        var error = Assert.Throws<StateDictException>(() => Train(Device, Momentum, "b", maxSteps: null, resume: "a"));
        Assert.That(error.Message, Does.Contain("0.mean"));
    }

    private TrainingResult Train(
        Device device, OptimizerSettings optimizer, string name, int? maxSteps,
        string? resume = null, int? cancelAt = null, CancellationTokenSource? cancellation = null, int batchSize = TinyProblem.BatchSize)
    {
        device.Random.Seed = resume is null ? 3ul : 99ul;
        var model = TinyProblem.Network(device);
        try
        {
            var (train, test) = TinyProblem.Loaders(device, batchSize);
            var settings = new TrainerSettings(optimizer, "tiny") { Epochs = 4, MaxSteps = maxSteps, CheckpointPath = File(name) };
            var steps = 0;
            var observer = new Recorder { OnEachStep = _ => { if (++steps == cancelAt) cancellation!.Cancel(); } };
            using var trainer = new Trainer(model, train, test, settings, observer);
            if (resume is not null)
            {
                using var checkpoint = Checkpoint.Load(File(resume), device);
                trainer.Resume(checkpoint);
            }

            return trainer.Run(cancellation?.Token ?? default);
        }
        finally
        {
            model.DisposeParameters();
        }
    }

    /// <summary>The same file to the last byte: weights, running statistics, optimizer, positions and metrics.</summary>
    private void AssertSame(string expected, string actual)
    {
        using (var left = Safetensors.Read(File(expected), Device))
        using (var right = Safetensors.Read(File(actual), Device))
        {
            Assert.That(right.Metadata.OrderBy(entry => entry.Key), Is.EqualTo(left.Metadata.OrderBy(entry => entry.Key)));
            Assert.That(right.Tensors.Keys, Is.EqualTo(left.Tensors.Keys));
            foreach (var (key, tensor) in left.Tensors)
            {
                if (tensor.DType == DType.Float32) Assert.That(right.Tensors[key].ToArray<float>(), Is.EqualTo(tensor.ToArray<float>()), key);
            }
        }

        Assert.That(System.IO.File.ReadAllBytes(File(actual)), Is.EqualTo(System.IO.File.ReadAllBytes(File(expected))));
    }
}
