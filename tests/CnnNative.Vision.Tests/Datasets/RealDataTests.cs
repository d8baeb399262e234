using CnnNative.TestKit;
using CnnNative.Vision.Datasets;
using CnnNative.Vision.Transforms;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Datasets;

/// <summary>The real files, where they are: sizes, classes, and the statistics that the code states.</summary>
public sealed class RealDataTests
{
    [Test]
    public void Mnist([Values] Split split) =>
        CheckDigitsFormat(CnnNative.Vision.Datasets.Mnist.Load(RealData.Folder("mnist"), split), split, firstLabel: split == Split.Train ? 5 : 7);

    [Test]
    public void FashionMnist([Values] Split split) =>
        CheckDigitsFormat(CnnNative.Vision.Datasets.FashionMnist.Load(RealData.Folder("fashion_mnist"), split), split, firstLabel: 9);

    [Test]
    public void Cifar10Test()
    {
        var set = Cifar10.Load(RealData.Folder("cifar10"), Split.Test);
        Assert.That(set.Count, Is.EqualTo(10_000));
        Assert.That(Enumerable.Range(0, set.Count).CountBy(set.Label).Select(pair => pair.Value), Is.All.EqualTo(1000));
        AssertNear(Normalization.Measure(set), set.Normalization, tolerance: 0.004f);
    }

    [Test]
    public void Cifar10FirstTrainingImages()
    {
        var path = Path.Combine(RealData.Folder("cifar10_lossless4000"), "data_batch_1_first4000.bin.gz");
        var set = Cifar10.LoadFiles("CIFAR-10, first 4,000", path);
        Assert.That(set.Count, Is.EqualTo(4000));
        // The first images of the set are a frog and two trucks.
        Assert.That(Enumerable.Range(0, 3).Select(i => set.ClassNames[set.Label(i)]), Is.EqualTo(new[] { "frog", "truck", "truck" }));
    }

    private static void CheckDigitsFormat(InMemoryDataset set, Split split, int firstLabel)
    {
        Assert.That(set.Count, Is.EqualTo(split == Split.Train ? 60_000 : 10_000));
        Assert.That(set.ImageShape, Is.EqualTo(new Shape(1, 28, 28)));
        Assert.That(set.Label(0), Is.EqualTo(firstLabel));
        if (split == Split.Train) AssertNear(Normalization.Measure(set), set.Normalization, tolerance: 1e-5f);
    }

    private static void AssertNear(Normalization measured, Normalization stated, float tolerance)
    {
        Assert.That(measured.Mean, Is.EqualTo(stated.Mean).Within(tolerance));
        Assert.That(measured.Deviation, Is.EqualTo(stated.Deviation).Within(tolerance));
    }
}
