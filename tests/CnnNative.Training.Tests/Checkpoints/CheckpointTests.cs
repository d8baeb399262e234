using CnnNative.Layers;
using CnnNative.Serialization;
using CnnNative.Vision.Transforms;
using NUnit.Framework;

namespace CnnNative.Training.Tests.Checkpoints;

public sealed class CheckpointTests : TrainingFixture
{
    private static readonly CheckpointInfo Info = new(
        new ModelDescription("tiny", [1, 8, 8], ["a", "b", "c d", "é"], new Normalization([0.1f], [0.3f])),
        new OptimizerSettings(OptimizerKind.Adam, 0.1f, 0f, 1e-7f, 0.3f),
        new TrainingState(2, 3, 17, 10, ulong.MaxValue, 12, 345, new Tally(1.0 / 3, 20, 30), new Tally(Math.PI, 7, 9)),
        "somewhere");

    [Test]
    public void Brings_everything_back()
    {
        Write("a", Info);
        using var checkpoint = Checkpoint.Load(File("a"), Device);
        var read = checkpoint.Info;
        Assert.Multiple(() =>
        {
            Assert.That(read.State, Is.EqualTo(Info.State));
            Assert.That(read.Optimizer, Is.EqualTo(Info.Optimizer));
            Assert.That(read.Data, Is.EqualTo("somewhere"));
            Assert.That((read.Model.Name, read.Model.Input), Is.EqualTo((Info.Model.Name, Info.Model.Input)));
            Assert.That(read.Model.ClassNames, Is.EqualTo(Info.Model.ClassNames));
            Assert.That(read.Model.Normalization.Mean, Is.EqualTo(new[] { 0.1f }));
            Assert.That(read.Model.Normalization.Deviation, Is.EqualTo(new[] { 0.3f }));
        });
    }

    [Test]
    public void A_test_that_was_not_measured_stays_so()
    {
        Write("a", Info with { State = Info.State with { Test = null } });
        using var checkpoint = Checkpoint.Load(File("a"), Device);
        Assert.That(checkpoint.Info.State.Test, Is.Null);
    }

    [Test]
    public void Keys_are_those_of_PyTorch_and_the_optimizer_has_a_folder_of_its_own()
    {
        var model = new Sequential(new Conv2d(1, 2, 3, device: Device), new BatchNorm2d(2, device: Device));
        using var optimizer = new OptimizerSettings(OptimizerKind.Sgd, 0.1f, 0.9f).Create(model.Parameters());
        using (Device.Step())
        {
            Functional.Sum(model.Forward(Tensor.Ones([2, 1, 4, 4], Device))).Backward();
            optimizer.Step();
        }

        Checkpoint.Save(File("a"), model, optimizer, Info);
        using var file = Safetensors.Read(File("a"), Device);
        Assert.That(file.Tensors.Keys, Is.EquivalentTo(new[]
        {
            "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked",
            "optimizer/0.momentum", "optimizer/1.momentum", "optimizer/2.momentum", "optimizer/3.momentum",
        }));
        Assert.That(file.Metadata["format"], Is.EqualTo("cnnnative.checkpoint"));
        model.DisposeParameters();
    }

    [Test]
    public void Another_model_is_refused_and_stays_as_it_was()
    {
        Write("a", Info);
        var other = TinyProblem.Network(Device, channels: 5);
        var before = other.StateDict()["0.weight"].ToArray<float>();
        using var checkpoint = Checkpoint.Load(File("a"), Device);
        var error = Assert.Throws<StateDictException>(() => checkpoint.Restore(other));
        Assert.That(error.Message, Does.StartWith($"{File("a")} (a checkpoint of tiny for 1x8x8 images of 4 classes): 0.weight").And.Contain("(4, 1, 3, 3)").And.Contain("(5, 1, 3, 3)"));
        Assert.That(other.StateDict()["0.weight"].ToArray<float>(), Is.EqualTo(before));
        other.DisposeParameters();
    }

    [Test]
    public void A_safetensors_file_that_is_no_checkpoint_is_refused()
    {
        using (var weight = Tensor.Ones([2], Device)) Safetensors.Write(File("a"), new Dictionary<string, Tensor> { ["w"] = weight });
        var error = Assert.Throws<CorruptFileException>(() => Checkpoint.Load(File("a"), Device));
        Assert.That(error.Message, Does.Contain("no checkpoint of a training"));
    }

    [Test]
    public void A_missing_file_says_so() => Assert.Throws<FileNotFoundException>(() => Checkpoint.Load(File("none"), Device));

    [TestCase("format_version", "2", "a checkpoint of format 2; this version reads formats up to 1")]
    [TestCase("model", null, "has no 'model'")]
    [TestCase("input", "1x0", "a shape such as 1x28x28")]
    [TestCase("class_names", null, "has no 'class_names'")]
    [TestCase("normalization_mean", "a", "expected numbers")]
    [TestCase("normalization_deviation", "0", "expected a positive number")]
    [TestCase("normalization_deviation", "1 1", "1 means and 2 deviations")]
    [TestCase("optimizer", "lamb", "expected sgd or adam")]
    [TestCase("optimizer", "7", "expected sgd or adam")]
    [TestCase("learning_rate", "NaN", "expected a number from 0")]
    [TestCase("learning_rate_decay", "-1", "expected a number from 0")]
    [TestCase("epoch", "-1", "expected a whole number from 0")]
    [TestCase("batch_size", "0", "expected a whole number from 1")]
    [TestCase("step", "1.5", "expected a number")]
    [TestCase("generator_position", "-3", "expected a number")]
    [TestCase("train_loss_sum", "NaN", "expected a number")]
    [TestCase("test_hits", null, "has no 'test_hits'")]
    public void Metadata_that_makes_no_sense_is_named(string key, string? value, string problem)
    {
        var metadata = CheckpointMetadata.Write(Info);
        metadata.Remove(key);
        if (value is not null) metadata[key] = value;
        Safetensors.Write(File("a"), new Dictionary<string, Tensor>(), metadata);
        var error = Assert.Throws<CorruptFileException>(() => Checkpoint.Load(File("a"), Device));
        Assert.That(error.Message, Does.StartWith(File("a")).And.Contain(problem).And.Not.Contain("\n"));
    }

    private void Write(string name, CheckpointInfo info)
    {
        var model = TinyProblem.Network(Device);
        using var optimizer = info.Optimizer.Create(model.Parameters());
        Checkpoint.Save(File(name), model, optimizer, info);
        model.DisposeParameters();
    }
}
