using NUnit.Framework;

namespace CnnNative.Cli.Tests;

/// <summary>What is wrong gives one clear line and the right exit code.</summary>
public sealed class BadInputTests : CliFixture
{
    [TestCase("--batch", "0", "--batch is 0; it must be at least 1")]
    [TestCase("--batch", "-3", "--batch is -3; it must be at least 1")]
    [TestCase("--epochs", "0", "--epochs is 0; it must be at least 1")]
    [TestCase("--max-steps", "0", "--max-steps is 0; it must be at least 1")]
    [TestCase("--threads", "0", "--threads is 0; it must be at least 1")]
    [TestCase("--threads", "100000", "--threads is 100000; it must be at most 1024")]
    [TestCase("--lr", "-1", "--lr is -1; it must be a number above 0")]
    [TestCase("--lr", "NaN", "--lr is NaN; it must be a number above 0")]
    [TestCase("--lr-decay", "-1", "--lr-decay is -1; it must be a number from 0")]
    [TestCase("--clip-norm", "-1", "--clip-norm is -1; it must be a number from 0")]
    [TestCase("--momentum", "-0.5", "--momentum is -0.5; it must be a number from 0")]
    public void A_number_that_makes_no_sense(string option, string value, string problem) =>
        Assert.That(Fails(1, "train", option, value), Is.EqualTo($"error: {problem}"));

    [Test]
    public void Momentum_goes_with_sgd() =>
        Assert.That(Fails(1, "train", "--optimizer", "adam", "--momentum", "0.9"), Does.Contain("--momentum goes with --optimizer sgd"));

    [TestCase("train", "--frobnicate")]
    [TestCase("train", "--batch", "many")]
    [TestCase("train", "--batch", "1.5")]
    [TestCase("train", "--lr", "fast")]
    [TestCase("train", "--seed", "-1")]
    [TestCase("train", "--data", "imagenet:here")]
    [TestCase("train", "--data", "mnist:")]
    [TestCase("train", "--engine", "abacus")]
    [TestCase("train", "--model", "lenet6")]
    [TestCase("train", "--optimizer", "1")]
    [TestCase("train", "--epochs")]
    [TestCase("eval")]
    [TestCase("predict", "--checkpoint", "a")]
    [TestCase("summary", "--model", "lenet5", "--input", "28")]
    [TestCase("fly")]
    [TestCase]
    public void Wrong_usage(params string[] arguments) => Assert.That(Fails(2, arguments), Does.Contain("--help"));

    [Test]
    public void A_missing_folder() =>
        Assert.That(Fails(1, "train", "--data", "mnist:nowhere"), Does.Contain("there is no folder nowhere"));

    [Test]
    public void A_folder_without_the_files()
    {
        Directory.CreateDirectory(Under("empty"));
        Assert.That(Fails(1, "train", "--data", "fashion:empty"), Does.Contain("train-labels-idx1-ubyte").Or.Contain("train-images-idx3-ubyte"));
    }

    [Test]
    public void A_truncated_gzip_file()
    {
        IdxFolder.Write(Under("data"));
        var path = Under("data/train-images-idx3-ubyte.gz");
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        Assert.That(Fails(1, "train", "--data", "mnist:data"), Does.Contain("train-images-idx3-ubyte.gz"));
    }

    [Test]
    public void A_header_that_promises_more_than_the_file_holds()
    {
        IdxFolder.Write(Under("data"));
        IdxFolder.WriteFile(Under("data/t10k-images-idx3-ubyte.gz"), [60_000, 28, 28], new byte[28 * 28 * 3]);
        Assert.That(Fails(1, "train", "--data", "mnist:data"), Does.Contain("t10k-images-idx3-ubyte.gz"));
    }

    [Test]
    public void A_missing_checkpoint() => Assert.That(Fails(1, "eval", "--checkpoint", "none.safetensors"), Does.Contain("none.safetensors"));

    [Test]
    public void A_checkpoint_that_is_none()
    {
        File.WriteAllText(Under("a"), "this is not a checkpoint, but it is long enough for a header");
        Assert.That(Fails(1, "eval", "--checkpoint", "a"), Does.StartWith("error: a: "));
        Assert.That(Fails(1, "train", "--resume", "a"), Does.StartWith("error: a: "));
    }

    [Test]
    public void A_checkpoint_that_was_cut_or_changed()
    {
        TrainBriefly("mlp", "a");
        var bytes = File.ReadAllBytes(Under("a"));
        File.WriteAllBytes(Under("cut"), bytes[..^100]);
        Assert.That(Fails(1, "eval", "--checkpoint", "cut"), Does.Contain("cut: the file has"));
        bytes[20] ^= 0x80;
        File.WriteAllBytes(Under("changed"), bytes);
        Assert.That(Fails(1, "eval", "--checkpoint", "changed"), Does.StartWith("error: changed: "));
    }

    [Test]
    public void A_checkpoint_of_another_model()
    {
        TrainBriefly("mlp", "a");
        Assert.That(
            Fails(1, "train", "--model", "lenet5", "--resume", "a", "--data", "mnist:data"),
            Does.StartWith("error: a is a checkpoint of mlp for 1x28x28 images of 10 classes, not of lenet5"));

        // A file whose weights are not those of the model that it names.
        var bytes = File.ReadAllText(Under("a"), System.Text.Encoding.Latin1).Replace("\"model\":\"mlp\"", "\"model\":\"mycnn\"");
        Assert.That(bytes, Does.Contain("mycnn"));
        var length = BitConverter.GetBytes(BitConverter.ToInt64(System.Text.Encoding.Latin1.GetBytes(bytes)) + 2);
        File.WriteAllBytes(Under("b"), [.. length, .. System.Text.Encoding.Latin1.GetBytes(bytes)[8..]]);
        Assert.That(Fails(1, "eval", "--checkpoint", "b"), Does.StartWith("error: b (a checkpoint of mycnn"));
    }

    [Test]
    public void Settings_that_contradict_the_checkpoint()
    {
        TrainBriefly("mlp", "a");
        Assert.That(Fails(1, "train", "--resume", "a", "--batch", "7"), Is.EqualTo("error: --batch 7 does not fit the checkpoint, which was made with 64; leave it out to go on"));
        Assert.That(Fails(1, "train", "--resume", "a", "--seed", "7"), Does.StartWith("error: --seed 7 does not fit"));
        Assert.That(Fails(1, "train", "--resume", "a", "--optimizer", "adam"), Does.StartWith("error: --optimizer Adam does not fit"));
    }

    [TestCase("nowhere/a.safetensors", "there is no folder")]
    [TestCase(".", "is a folder")]
    [TestCase("/proc/a.safetensors", "cannot be written")]
    public void An_output_that_cannot_be_written_is_found_before_training(string path, string problem) =>
        Assert.That(Fails(1, "train", "--data", "mnist:nowhere", "--out", path), Does.StartWith($"error: --out {path}").And.Contain(problem));

    [Test]
    public void Verbose_says_where_it_happened()
    {
        var outcome = Cnn("eval", "--checkpoint", "none.safetensors", "--verbose");
        Assert.That(outcome.ExitCode, Is.EqualTo(1));
        Assert.That(outcome.ErrorLines[0], Does.StartWith("error: "));
        Assert.That(outcome.Error, Does.Contain("   at CnnNative."));
    }

    private void TrainBriefly(string model, string path)
    {
        IdxFolder.Write(Under("data"));
        Json("train", "--model", model, "--data", "mnist:data", "--max-steps", "2", "--out", path);
    }
}
