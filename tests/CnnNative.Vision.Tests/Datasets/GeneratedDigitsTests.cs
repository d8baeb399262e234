using System.Security.Cryptography;
using CnnNative.Vision.Datasets;
using CnnNative.Vision.Transforms;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Datasets;

public sealed class GeneratedDigitsTests
{
    /// <summary>The same bytes on every machine and with every number of threads; a change of the generator changes this line knowingly.</summary>
    [Test]
    public void TheImagesAreThoseOfEveryMachine()
    {
        var set = GeneratedDigits.Create(Split.Train, seed: 1, count: 500);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < set.Count; i++)
        {
            hash.AppendData([(byte)set.Label(i)]);
            hash.AppendData(set.Pixels(i));
        }

        Assert.That(Convert.ToHexString(hash.GetHashAndReset()), Is.EqualTo("27D30BCDFDEF236FA4C1FD9F9E6F475A271CD4B6722CD0E934D48197568567B0"));
    }

    [Test]
    public void ASmallSetIsTheBeginningOfALargeOne()
    {
        var (small, large) = (GeneratedDigits.Create(Split.Test, count: 10), GeneratedDigits.Create(Split.Test, count: 50));
        for (var i = 0; i < small.Count; i++)
        {
            Assert.That(small.Label(i), Is.EqualTo(large.Label(i)));
            Assert.That(small.Pixels(i).SequenceEqual(large.Pixels(i)));
        }
    }

    [Test]
    public void SeedsAndSplitsDiffer()
    {
        var first = GeneratedDigits.Create(Split.Train, seed: 0, count: 200);
        foreach (var other in new[] { GeneratedDigits.Create(Split.Train, seed: 1, count: 200), GeneratedDigits.Create(Split.Test, seed: 0, count: 200) })
        {
            var equal = Enumerable.Range(0, 200).Count(i => first.Pixels(i).SequenceEqual(other.Pixels(i)));
            Assert.That(equal, Is.Zero);
        }
    }

    [Test]
    public void TheDefaultSetIsBalancedAndHasTheStatedStatistics()
    {
        var set = GeneratedDigits.Create(Split.Train);
        Assert.That(set.Count, Is.EqualTo(GeneratedDigits.DefaultTrainCount));
        var perClass = Enumerable.Range(0, set.Count).CountBy(set.Label).Select(pair => pair.Value).ToList();
        Assert.That(perClass, Has.Count.EqualTo(10).And.All.InRange(1800, 2200));
        var measured = Normalization.Measure(set);
        Assert.That(measured.Mean[0], Is.EqualTo(set.Normalization.Mean[0]).Within(1e-5f));
        Assert.That(measured.Deviation[0], Is.EqualTo(set.Normalization.Deviation[0]).Within(1e-5f));
    }

    [Test]
    public void EveryDigitIsWrittenInsideTheCanvas()
    {
        var set = GeneratedDigits.Create(Split.Test, count: 2000);
        for (var i = 0; i < set.Count; i++)
        {
            var pixels = set.Pixels(i).ToArray();
            Assert.That(pixels.Count(pixel => pixel > 128), Is.InRange(15, 500), $"ink of image {i}");
        }
    }

    [Test]
    public void NoImagesAreRefused() =>
        Assert.That(() => GeneratedDigits.Create(Split.Train, count: 0), Throws.TypeOf<ArgumentOutOfRangeException>());
}
