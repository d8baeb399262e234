using NUnit.Framework;

namespace CnnNative.Cli.Tests;

public sealed class SummaryTests : CliFixture
{
    [TestCase("lenet5", "1x28x28", 61_706, 416_520)]
    [TestCase("mlp", "1x28x28", 335_114, 334_336)]
    [TestCase("mycnn", "1x28x28", 98_442, 1_994_240)]
    [TestCase("mycnn", "3x32x32", 156_074, 2_934_016)]
    public void Counts_parameters_and_work(string model, string input, long parameters, long multiplyAdds)
    {
        var summary = Json("summary", "--model", model, "--input", input);
        var layers = summary.GetProperty("layers").EnumerateArray().ToList();
        Assert.Multiple(() =>
        {
            Assert.That(summary.GetProperty("model").GetString(), Is.EqualTo(model));
            Assert.That(summary.GetProperty("parameters").GetInt64(), Is.EqualTo(parameters));
            Assert.That(layers.Sum(layer => layer.GetProperty("parameters").GetInt64()), Is.EqualTo(parameters));
            Assert.That(summary.GetProperty("multiply_adds").GetInt64(), Is.EqualTo(multiplyAdds));
            Assert.That(layers.Sum(layer => layer.GetProperty("activation_bytes").GetInt64()), Is.EqualTo(summary.GetProperty("activation_bytes").GetInt64()));
            Assert.That(layers[^1].GetProperty("output").EnumerateArray().Select(size => size.GetInt32()), Is.EqualTo(new[] { 10 }));
        });
    }

    [Test]
    public void People_see_a_table()
    {
        var outcome = Cnn("summary", "--model", "lenet5");
        Assert.That((outcome.ExitCode, outcome.Error), Is.EqualTo((0, "")));
        Assert.That(outcome.Output, Does.Contain("Conv2d(1, 6, (5, 5))").And.Contain("48,120").And.Contain("61,706").And.Contain("16x10x10"));
    }

    [Test]
    public void An_image_that_is_too_small_is_an_error() =>
        Assert.That(Fails(1, "summary", "--model", "lenet5", "--input", "1x4x4"), Does.Contain("images (1, 4, 4)").And.Contain("12 x 12"));
}
