using NUnit.Framework;

namespace CnnNative.Training.Tests.Checkpoints;

public sealed class ShapeTextTests
{
    [TestCase("1x28x28", new[] { 1, 28, 28 })]
    [TestCase("7", new[] { 7 })]
    public void Reads_what_it_writes(string text, int[] sizes)
    {
        Assert.That(ShapeText.TryParse(text, out var shape), Is.True);
        Assert.That(shape, Is.EqualTo(new Shape(sizes)));
        Assert.That(ShapeText.Format(shape!.Value), Is.EqualTo(text));
    }

    [TestCase("")]
    [TestCase("1x")]
    [TestCase("1x0x3")]
    [TestCase("1x-2")]
    [TestCase("1,28,28")]
    [TestCase("99999999999x1")]
    [TestCase("2000000000x2000000000x2000000000")]
    public void Refuses_everything_else(string text) => Assert.That(ShapeText.TryParse(text, out _), Is.False);
}
