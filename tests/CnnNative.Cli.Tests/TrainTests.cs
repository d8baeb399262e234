using System.Text.Json;
using CnnNative.Interop;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Cli.Tests;

public sealed class TrainTests : CliFixture
{
    [Test]
    public void Without_options_it_learns_generated_digits_and_eval_agrees_to_the_last_image()
    {
        var trained = Json("train");
        Assert.Multiple(() =>
        {
            Assert.That(trained.GetProperty("model").GetString(), Is.EqualTo("lenet5"));
            Assert.That(trained.GetProperty("engine").GetString(), Is.EqualTo("cpu"));
            Assert.That(trained.GetProperty("epochs").GetInt32(), Is.EqualTo(3));
            Assert.That(trained.GetProperty("train_loss").GetDouble(), Is.InRange(0, 0.3));
            Assert.That(trained.GetProperty("test_accuracy").GetDouble(), Is.InRange(0.97, 1));
            Assert.That(trained.GetProperty("images_per_second").GetDouble(), Is.Positive);
            Assert.That(trained.GetProperty("peak_memory_bytes").GetInt64(), Is.Positive);
            Assert.That(trained.GetProperty("checkpoint").GetString(), Is.EqualTo(Path.Combine("checkpoints", "lenet5.safetensors")));
            Assert.That(File.Exists(Under("checkpoints/lenet5.safetensors")));
        });
        var measured = Json("eval", "--checkpoint", "checkpoints/lenet5.safetensors", "--data", "generated");
        Assert.That(measured.GetProperty("test_accuracy").GetDouble(), Is.EqualTo(trained.GetProperty("test_accuracy").GetDouble()));
        Assert.That(measured.GetProperty("test_loss").GetDouble(), Is.EqualTo(trained.GetProperty("test_loss").GetDouble()));
        Assert.That(measured.GetProperty("images").GetInt64(), Is.GreaterThanOrEqualTo(1000));
    }

    [TestCase("mnist", "mnist", 0.975)]
    [TestCase("fashion", "fashion_mnist", 0.83)]
    public void One_epoch_of_real_images_is_enough(string kind, string folder, double least)
    {
        var data = $"{kind}:{RealData.Folder(folder)}";
        var trained = Json("train", "--data", data, "--epochs", "1", "--out", "a.safetensors");
        Assert.That(trained.GetProperty("test_accuracy").GetDouble(), Is.GreaterThanOrEqualTo(least));
        var measured = Json("eval", "--data", data, "--checkpoint", "a.safetensors");
        Assert.That(measured.GetProperty("images").GetInt64(), Is.EqualTo(10_000));
        Assert.That(measured.GetProperty("test_accuracy").GetDouble(), Is.EqualTo(trained.GetProperty("test_accuracy").GetDouble()));
    }

    [TestCase("lenet5", "sgd")]
    [TestCase("mlp", "adam")]
    [TestCase("mycnn", "sgd")]
    public void Resumed_it_writes_the_same_file_as_if_it_had_not_stopped(string model, string optimizer)
    {
        IdxFolder.Write(Under("data"));
        string[] recipe = ["train", "--model", model, "--optimizer", optimizer, "--data", "mnist:data", "--batch", "32", "--epochs", "2", "--seed", "4"];
        Json([.. recipe, "--out", "whole.safetensors"]);
        var half = Json([.. recipe, "--out", "half.safetensors", "--max-steps", "7"]);
        Assert.That(half.GetProperty("steps").GetInt64(), Is.EqualTo(7));
        var rest = Json("train", "--resume", "half.safetensors", "--epochs", "2", "--out", "rest.safetensors");
        Assert.That(rest.GetProperty("steps").GetInt64(), Is.EqualTo(20));
        Assert.That(File.ReadAllBytes(Under("rest.safetensors")), Is.EqualTo(File.ReadAllBytes(Under("whole.safetensors"))));
    }

    /// <summary>The same images, weights and draws on the CPU and on the emulated GPU, launch by launch and as a graph: the losses differ by rounding alone.</summary>
    [Test]
    public void The_native_engine_learns_what_the_cpu_learns()
    {
        if (!Emulator.IsUsed) Assert.Ignore("on a GPU the program itself is run");
        Variables["CNN_CUDA_DRIVER"] = CudaDriver.Search.Path!;
        IdxFolder.Write(Under("data"));
        string[] recipe = ["train", "--model", "lenet5", "--data", "mnist:data", "--batch", "16", "--max-steps", "4", "--out"];
        var cpu = Json([.. recipe, "cpu", "--engine", "cpu"]);
        var eager = Json([.. recipe, "eager", "--engine", "native"]);
        var captured = Json([.. recipe, "captured", "--engine", "native", "--capture"]);
        foreach (var loss in (string[])["train_loss", "test_loss"])
        {
            var expected = cpu.GetProperty(loss).GetDouble();
            Assert.That(expected, Is.Positive, loss);
            Assert.That(eager.GetProperty(loss).GetDouble(), Is.EqualTo(expected).Within(1e-4), loss);
            Assert.That(captured.GetProperty(loss).GetDouble(), Is.EqualTo(eager.GetProperty(loss).GetDouble()), loss);
        }

        Assert.That((eager.GetProperty("engine").GetString(), eager.GetProperty("steps").GetInt64()), Is.EqualTo(("native", 4)));
        Assert.That(File.ReadAllBytes(Under("captured")), Is.EqualTo(File.ReadAllBytes(Under("eager"))));
    }

    [Test]
    public void Without_a_terminal_there_are_only_plain_lines()
    {
        IdxFolder.Write(Under("data"));
        var outcome = Cnn("train", "--data", "mnist:data", "--epochs", "2", "--out", "a.safetensors");
        Assert.Multiple(() =>
        {
            Assert.That((outcome.ExitCode, outcome.Error), Is.EqualTo((0, "")));
            Assert.That(outcome.Output, Does.Not.Contain("\u001b").And.Not.Contain("\r").And.Not.Contain("\b"));
            Assert.That(outcome.OutputLines.Count(line => line.TrimStart().StartsWith("1/2", StringComparison.Ordinal)), Is.EqualTo(1));
            Assert.That(outcome.OutputLines.Count(line => line.TrimStart().StartsWith("2/2", StringComparison.Ordinal)), Is.EqualTo(1));
            Assert.That(outcome.OutputLines, Has.Length.LessThan(16));
            Assert.That(outcome.Output, Does.Contain("a.safetensors"));
        });
    }

    [Test]
    public void The_same_seed_gives_the_same_file_and_another_seed_another()
    {
        IdxFolder.Write(Under("data"));
        string[] recipe = ["train", "--model", "mlp", "--data", "mnist:data", "--max-steps", "5", "--out"];
        Json([.. recipe, "a"]);
        Json([.. recipe, "b", "--seed", "0"]);
        Json([.. recipe, "c", "--seed", "1"]);
        Assert.That(File.ReadAllBytes(Under("b")), Is.EqualTo(File.ReadAllBytes(Under("a"))));
        Assert.That(File.ReadAllBytes(Under("c")), Is.Not.EqualTo(File.ReadAllBytes(Under("a"))));
    }

    [Test]
    public void A_learning_rate_that_diverges_is_an_error_and_the_good_checkpoint_stays()
    {
        IdxFolder.Write(Under("data"));
        Json("train", "--data", "mnist:data", "--epochs", "1", "--out", "a");
        var good = File.ReadAllBytes(Under("a"));
        var error = Fails(1, "train", "--data", "mnist:data", "--epochs", "5", "--lr", "1e30", "--out", "a", "--json");
        Assert.That(error, Does.Contain("diverged").And.Contain("of epoch 1, at learning rate "));
        Assert.That(File.ReadAllBytes(Under("a")), Is.EqualTo(good));
        Assert.That(Directory.GetFiles(Folder), Is.EqualTo(new[] { Under("a") }), "no temporary is left");
    }

    [TestCase(2, 130)]
    [TestCase(15, 143)]
    public void A_signal_leaves_a_checkpoint_that_goes_on(int signal, int exitCode)
    {
        IdxFolder.Write(Under("data"));
        using (var running = CnnProcess.Start(Folder, "train", "--data", "mnist:data", "--epochs", "100000", "--out", "a"))
        {
            running.WaitFor(line => line.TrimStart().StartsWith("2/100000", StringComparison.Ordinal));
            running.Signal(signal);
            var outcome = running.Wait();
            Assert.That(outcome.ExitCode, Is.EqualTo(exitCode), outcome.Error);
            Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
            Assert.That(outcome.Error, Does.StartWith("interrupted after step ").And.Contain("--resume a"));
        }

        Assert.That(Directory.GetFiles(Folder), Is.EqualTo(new[] { Under("a") }));
        var steps = Steps("a");
        var resumed = Json("train", "--resume", "a", "--epochs", "100000", "--max-steps", $"{steps + 3}");
        Assert.That(resumed.GetProperty("steps").GetInt64(), Is.EqualTo(steps + 3));
    }

    /// <summary>The steps that a checkpoint says were done.</summary>
    private long Steps(string file)
    {
        var bytes = File.ReadAllBytes(Under(file));
        using var header = JsonDocument.Parse(bytes.AsMemory(8, (int)BitConverter.ToInt64(bytes)));
        return long.Parse(header.RootElement.GetProperty("__metadata__").GetProperty("step").GetString()!);
    }
}
