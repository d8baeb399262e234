using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines;

/// <summary>The windows of an adaptive pooling along one axis.</summary>
public sealed class AdaptiveWindowsTests
{
    [Test]
    public void AreThoseOfTheDefinition()
    {
        for (var size = 1; size <= 40; size++)
        {
            for (var count = 1; count <= 40; count++) Check(size, count, count);
        }
    }

    /// <summary>i size is beyond 2^31 long before the last of these.</summary>
    [TestCase(int.MaxValue, 100_000)]
    [TestCase(100_003, 2_000_000)]
    [TestCase(7, int.MaxValue)]
    [TestCase(int.MaxValue - 1, int.MaxValue)]
    public void DoNotOverflow(int size, int count) => Check(size, count, Math.Min(count, 1 << 20));

    /// <summary>Exchanged, size and count give the windows that hold an element, which is what a gradient gathers.</summary>
    [Test]
    public void TheWindowsThatHoldAnElementAreWindowsToo()
    {
        for (var size = 1; size <= 40; size++)
        {
            for (var count = 1; count <= 40; count++)
            {
                var holders = new AdaptiveWindows(count, size);
                for (var element = 0; element < size; element++)
                {
                    holders.MoveNext();
                    var expected = Enumerable.Range(0, count).Where(i => NaiveAdaptivePooling.Window(i, size, count) is var (first, end) && first <= element && element < end);
                    Assert.That(Enumerable.Range(holders.First, holders.Length), Is.EqualTo(expected), $"element {element} of {size} under {count} windows");
                }
            }
        }
    }

    private static void Check(int size, int count, int first)
    {
        var windows = new AdaptiveWindows(size, count);
        for (var i = 0; i < first; i++)
        {
            windows.MoveNext();
            if ((windows.First, windows.End) != NaiveAdaptivePooling.Window(i, size, count))
                Assert.Fail($"window {i} of {count} over {size} is {windows.First} to {windows.End}, expected {NaiveAdaptivePooling.Window(i, size, count)}");
        }
    }
}
