using NUnit.Framework;

namespace CnnNative.Cli.Tests;

public sealed class EvalTests : CliFixture
{
    [SetUp]
    public void Train()
    {
        IdxFolder.Write(Under("data"));
        Json("train", "--model", "mlp", "--data", "mnist:data", "--epochs", "2", "--out", "model");
    }

    [Test]
    public void Knows_the_data_of_the_training_and_counts_every_image_once()
    {
        var measured = Json("eval", "--checkpoint", "model");
        var confusion = measured.GetProperty("confusion").EnumerateArray().Select(row => row.EnumerateArray().Select(cell => cell.GetInt64()).ToArray()).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(measured.GetProperty("data").GetString(), Is.EqualTo("mnist:data"));
            Assert.That(measured.GetProperty("images").GetInt64(), Is.EqualTo(100));
            Assert.That(confusion.Sum(row => row.Sum()), Is.EqualTo(100));
            Assert.That(measured.GetProperty("test_accuracy").GetDouble(), Is.EqualTo(Enumerable.Range(0, 10).Sum(c => confusion[c][c]) / 100.0));
        });
    }

    [Test]
    public void People_see_a_table_of_classes()
    {
        var outcome = Cnn("eval", "--checkpoint", "model", "--data", "mnist:data");
        Assert.That((outcome.ExitCode, outcome.Error), Is.EqualTo((0, "")));
        Assert.That(outcome.Output, Does.Contain("most often taken for").And.Contain("accuracy ").And.Contain("of 100 images").And.Not.Contain("\u001b"));
    }

    [Test]
    public void The_number_of_threads_and_the_engine_are_chosen()
    {
        var one = Json("eval", "--checkpoint", "model", "--threads", "1", "--engine", "cpu");
        var two = Json("eval", "--checkpoint", "model", "--threads", "2", "--engine", "auto");
        Assert.That(one.GetProperty("test_loss").GetDouble(), Is.EqualTo(two.GetProperty("test_loss").GetDouble()).Within(1e-6));
        Assert.That(one.GetProperty("engine").GetString(), Is.EqualTo("cpu"));
    }

    [Test]
    public void Images_of_another_size_are_refused()
    {
        IdxFolder.WriteFile(Under("data/t10k-images-idx3-ubyte.gz"), [100, 8, 8], new byte[100 * 64]);
        Assert.That(
            Fails(1, "eval", "--checkpoint", "model", "--data", "mnist:data"),
            Does.Contain("model holds mlp for 1x28x28 images of 10 classes; MNIST test has 1x8x8 images of 10 classes"));
    }
}
