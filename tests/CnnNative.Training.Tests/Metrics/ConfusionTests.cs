using NUnit.Framework;

namespace CnnNative.Training.Tests.Metrics;

public sealed class ConfusionTests
{
    [Test]
    public void Counts_pairs_of_classes()
    {
        var confusion = new Confusion(3);
        confusion.Add([0.1f, 0.8f, 0.1f, /**/ 5, 4, 3, /**/ -3, -2, -1, /**/ 0, 0, 0], [1, 1, 2, 0], lossSum: 2.5);
        confusion.Add([1, 2, 3], [0], lossSum: 0.5);
        Assert.Multiple(() =>
        {
            Assert.That(confusion[1, 1], Is.EqualTo(1));
            Assert.That(confusion[1, 0], Is.EqualTo(1));
            Assert.That(confusion[2, 2], Is.EqualTo(1));
            Assert.That(confusion[0, 0], Is.EqualTo(1), "of equal scores the first decides");
            Assert.That(confusion[0, 2], Is.EqualTo(1));
            Assert.That(confusion.Images(1), Is.EqualTo(2));
            Assert.That(confusion.Tally, Is.EqualTo(new Tally(3.0, Hits: 3, Images: 5)));
        });
    }

    [Test]
    public void Needs_a_class() => Assert.Throws<ArgumentOutOfRangeException>(() => _ = new Confusion(0));
}
