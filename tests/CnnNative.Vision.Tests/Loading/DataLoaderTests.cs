using CnnNative.TestKit;
using CnnNative.Vision.Datasets;
using CnnNative.Vision.Transforms;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Loading;

[LeakGuard]
public sealed class DataLoaderTests : IDeviceFixture
{
    private readonly CpuDevice device = new(1);

    public Device Device => device;

    [OneTimeTearDown]
    public void CloseDevice() => device.Dispose();

    [Test]
    public void GivesNormalizedImagesWithTheirLabels()
    {
        var loader = new DataLoader(Numbered(5), 2, device);
        Assert.That(loader.BatchCount, Is.EqualTo(3));
        var seen = new List<long>();
        foreach (var (images, labels) in loader)
        {
            Assert.That(images.Shape, Is.EqualTo(new Shape((int)labels.Count, 2, 1, 3)));
            var elements = images.ToArray<float>();
            var numbers = labels.ToArray<long>();
            for (var i = 0; i < numbers.Length; i++)
            {
                var pixel = numbers[i] / 255f;
                Assert.That(elements[i * 6], Is.EqualTo((pixel - 0.5f) / 0.25f).Within(1e-5f));
                Assert.That(elements[i * 6 + 3], Is.EqualTo((pixel - 0.25f) / 0.5f).Within(1e-5f));
            }

            seen.AddRange(numbers);
        }

        Assert.That(seen, Is.EqualTo(new long[] { 0, 1, 2, 3, 4 }));
    }

    [Test]
    public void AnEpochIsAPermutationThatSeedAndEpochDecide()
    {
        Prop.ForAll(
            (from count in Gen.Choose(1, 60) from batch in Gen.Choose(1, 70) from seed in Gen.Choose(0, 1000) select (count, batch, seed)).ToArbitrary(),
            sizes =>
            {
                var (count, batch, seed) = sizes;
                var data = Numbered(count);
                var one = Labels(new DataLoader(data, batch, device, shuffle: true, seed: (ulong)seed, workers: 3).Epoch(2));
                var two = Labels(new DataLoader(data, batch, device, shuffle: true, seed: (ulong)seed, workers: 1).Epoch(2));
                return one.SequenceEqual(two) && one.Order().SequenceEqual(Enumerable.Range(0, count).Select(i => (long)i));
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [Test]
    public void OrdersDifferByEpochAndBySeed()
    {
        var loader = new DataLoader(Numbered(100), 7, device, shuffle: true, seed: 3);
        var other = new DataLoader(Numbered(100), 7, device, shuffle: true, seed: 4);
        Assert.That(Labels(loader.Epoch(0)), Is.Not.EqualTo(Labels(loader.Epoch(1))));
        Assert.That(Labels(loader.Epoch(0)), Is.Not.EqualTo(Labels(other.Epoch(0))));
    }

    [Test]
    public void LoopsOverTheLoaderAreEpochsOneAfterTheOther()
    {
        var loader = new DataLoader(Numbered(20), 4, device, shuffle: true, seed: 3);
        Assert.That(Labels(loader), Is.EqualTo(Labels(loader.Epoch(0))));
        Assert.That(Labels(loader), Is.EqualTo(Labels(loader.Epoch(1))));
    }

    [Test]
    public void BeginningInTheMiddleGivesTheSameRest()
    {
        var loader = new DataLoader(Numbered(50), 8, device, shuffle: true, seed: 3, workers: 2);
        var whole = Labels(loader.Epoch(5));
        for (var first = 0; first <= loader.BatchCount; first++)
            Assert.That(Labels(loader.Epoch(5, first)), Is.EqualTo(whole.Skip(first * 8)));
        Assert.That(() => loader.Epoch(5, loader.BatchCount + 1), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void TheLastBatchCanBeLeftOut()
    {
        var loader = new DataLoader(Numbered(10), 4, device, dropLast: true);
        Assert.That(loader.BatchCount, Is.EqualTo(2));
        Assert.That(Labels(loader), Has.Count.EqualTo(8));
        Assert.That(() => new DataLoader(Numbered(3), 4, device, dropLast: true), Throws.ArgumentException.With.Message.Contains("fewer than one full batch"));
    }

    [Test]
    public void ABatchIsDisposedWhenTheNextIsAskedFor()
    {
        Tensor? before = null;
        foreach (var (images, labels) in new DataLoader(Numbered(6), 2, device))
        {
            Assert.That(before?.IsDisposed, Is.Not.False);
            using var scope = device.Step();
            before = images;
        }

        Assert.That(before!.IsDisposed);
    }

    [Test]
    public void LeavingTheLoopEarlyEndsTheThreads()
    {
        var data = new Watched(Numbered(1000));
        foreach (var _ in new DataLoader(data, 2, device, workers: 4)) break;
        var reads = data.Reads;
        Assert.That(reads, Is.LessThanOrEqualTo(7 * 2));
        Thread.Sleep(20);
        Assert.That(data.Reads, Is.EqualTo(reads), "a thread is still reading");
    }

    [Test]
    public void AnErrorOfAThreadReachesTheLoopInItsPlace()
    {
        var data = new Watched(Numbered(20)) { FailsAt = 9 };
        var batches = 0;
        var error = Assert.Throws<CorruptFileException>(() =>
        {
            foreach (var _ in new DataLoader(data, 4, device, workers: 2)) batches++;
        });
        Assert.That((batches, error!.Message), Is.EqualTo((2, "image: 9")));
    }

    [Test]
    public void TwoLoopsAtOnceDoNotDisturbEachOther()
    {
        var loader = new DataLoader(Numbered(9), 2, device, shuffle: true);
        var expected = Labels(loader.Epoch(0));
        var outer = new List<long>();
        foreach (var (_, labels) in loader.Epoch(0))
        {
            outer.AddRange(labels.ToArray<long>());
            Assert.That(Labels(loader.Epoch(1)), Is.EquivalentTo(expected));
        }

        Assert.That(outer, Is.EqualTo(expected));
    }

    [Test]
    public void BatchesTakeNoMemoryThatGrows()
    {
        var loader = new DataLoader(Numbered(200), 2, device);
        Labels(loader.Epoch(0));
        var system = device.Memory.Statistics.BackendAllocations;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var epoch = 0; epoch < 20; epoch++)
        {
            foreach (var _ in loader.Epoch(epoch))
            {
            }
        }

        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - before, Is.LessThan(64 << 10));
        Assert.That(device.Memory.Statistics.BackendAllocations, Is.EqualTo(system));
    }

    [Test]
    public void WrongArgumentsAreRefused()
    {
        Assert.That(() => new DataLoader(Numbered(3), 0, device), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new DataLoader(Numbered(3), 1, device, workers: 0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => new DataLoader(Numbered(3), 1, device, normalization: new Normalization([0f], [1f])), Throws.ArgumentException.With.Message.Contains("1 channels"));
        Assert.That(() => new DataLoader(Numbered(3), 1, device).Epoch(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private static List<long> Labels(IEnumerable<Batch> batches)
    {
        var seen = new List<long>();
        foreach (var (_, labels) in batches) seen.AddRange(labels.ToArray<long>());
        return seen;
    }

    /// <summary>Image i is of class i, and all its pixels are i.</summary>
    private static InMemoryDataset Numbered(int count)
    {
        var labels = new byte[count];
        var pixels = new byte[count * 6];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = labels[i / 6] = (byte)(i / 6);
        if (count > 256) Array.Clear(labels);
        var names = Enumerable.Range(0, 256).Select(i => $"{i}").ToArray();
        return new InMemoryDataset("numbered", pixels, labels, 2, 1, 3, names, new Normalization([0.5f, 0.25f], [0.25f, 0.5f]));
    }

    private sealed class Watched(InMemoryDataset inner)
        : ImageDataset("watched", inner.Count, inner.Channels, inner.Height, inner.Width, inner.ClassNames, inner.Normalization)
    {
        private int reads;

        public int Reads => Volatile.Read(ref reads);

        public int FailsAt { get; init; } = -1;

        public override int Label(int index) => inner.Label(index);

        public override void Read(int index, Span<byte> pixels)
        {
            Interlocked.Increment(ref reads);
            if (index == FailsAt) throw new CorruptFileException("image", $"{index}");
            inner.Read(index, pixels);
        }
    }
}
