using System.Buffers.Binary;
using CnnNative.Vision.Datasets;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Datasets;

public sealed class IdxTests
{
    private const string Images = "t10k-images-idx3-ubyte", Labels = "t10k-labels-idx1-ubyte";
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [TestCase("", "")]
    [TestCase(".gz", "")]
    [TestCase("", ".gz")]
    [TestCase(".gz", ".gz")]
    public void ReadsPlainAndGzipped(string imagesEnding, string labelsEnding)
    {
        var pixels = Enumerable.Range(0, 3 * 4 * 5).Select(i => (byte)(i * 7)).ToArray();
        Write(Images + imagesEnding, Idx(0x803, [3, 4, 5], pixels));
        Write(Labels + labelsEnding, Idx(0x801, [3], [9, 0, 4]));

        var set = Mnist.Load(folder.Path, Split.Test);

        Assert.That((set.Count, set.Channels, set.Height, set.Width, set.ClassCount), Is.EqualTo((3, 1, 4, 5, 10)));
        Assert.That(Enumerable.Range(0, 3).Select(set.Label), Is.EqualTo(new[] { 9, 0, 4 }));
        Assert.That(set.Pixels(1).ToArray(), Is.EqualTo(pixels[20..40]));
        Assert.That(() => set.Label(3), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => set.Read(-1, new byte[20]), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void ReadsTheNamesWithADot()
    {
        Write("t10k-images.idx3-ubyte", Idx(0x803, [1, 1, 1], [5]));
        Write("t10k-labels.idx1-ubyte", Idx(0x801, [1], [1]));
        Assert.That(Mnist.Load(folder.Path, Split.Test).Count, Is.EqualTo(1));
    }

    [Test]
    public void AMissingFolderIsNamed() => Assert.That(
        () => Mnist.Load(Path.Combine(folder.Path, "nowhere"), Split.Train),
        Throws.TypeOf<DirectoryNotFoundException>().With.Message.Contains("nowhere"));

    [Test]
    public void AMissingFileSaysWhatWasLookedFor() => Assert.That(
        () => Mnist.Load(folder.Path, Split.Train),
        Throws.TypeOf<FileNotFoundException>().With.Message.Contains("train-images-idx3-ubyte").And.Message.Not.Contains("\n"));

    [TestCase(0x803u, new uint[] { 2, 2, 3 }, 11, "promises 12", TestName = "header promises more than the file holds")]
    [TestCase(0x803u, new uint[] { 2, 2, 3 }, 13, "goes on", TestName = "trailing bytes")]
    [TestCase(0x801u, new uint[] { 2, 2, 3 }, 12, "0x00000801", TestName = "wrong number of dimensions")]
    [TestCase(0xD03u, new uint[] { 2, 2, 3 }, 12, "0x00000D03", TestName = "wrong element type")]
    [TestCase(0x803u, new uint[] { uint.MaxValue, uint.MaxValue, uint.MaxValue }, 12, "at most", TestName = "sizes that overflow")]
    [TestCase(0x803u, new uint[] { 1 << 16, 1 << 16, 1 }, 12, "at most", TestName = "product just past 32 bits")]
    [TestCase(0x803u, new uint[] { 2, 0, 3 }, 0, "at least one", TestName = "no pixels")]
    [TestCase(0x803u, new uint[] { 3, 2, 3 }, 18, "3 images", TestName = "more images than labels")]
    public void EveryDefectIsNamed(uint magic, uint[] sizes, int bytes, string expected)
    {
        foreach (var ending in new[] { "", ".gz" })
        {
            using var own = new TemporaryFolder();
            var file = Idx(magic, sizes, new byte[bytes]);
            var path = own.Write(Images + ending, ending.Length == 0 ? file : TemporaryFolder.Gzip(file));
            own.Write(Labels, Idx(0x801, [2], [1, 2]));
            Assert.That(
                () => Mnist.Load(own.Path, Split.Test),
                Throws.TypeOf<CorruptFileException>().With.Message.Contains(expected).And.Property(nameof(CorruptFileException.Path)).EqualTo(path));
        }
    }

    [Test]
    public void AHostileHeaderTakesNoMemory()
    {
        var file = TemporaryFolder.Gzip(Idx(0x803, [2_000_000_000, 1, 1], new byte[100]));
        folder.Write(Images + ".gz", file);
        folder.Write(Labels, Idx(0x801, [2], [1, 2]));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => Mnist.Load(folder.Path, Split.Test), Throws.TypeOf<CorruptFileException>().With.Message.Contains("holds only 100"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(16 << 20));
    }

    [Test]
    public void ALabelThatNamesNoClassIsNamed()
    {
        Write(Images, Idx(0x803, [2, 1, 1], [1, 2]));
        Write(Labels, Idx(0x801, [2], [3, 10]));
        Assert.That(() => Mnist.Load(folder.Path, Split.Test), Throws.TypeOf<CorruptFileException>().With.Message.Contains("label 10 of image 1"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void EveryTruncationIsFound(bool gzipped)
    {
        Write(Labels, Idx(0x801, [2], [3, 4]));
        var whole = Idx(0x803, [2, 6, 5], [.. Enumerable.Range(0, 60).Select(i => (byte)(i * i))]);
        if (gzipped) whole = TemporaryFolder.Gzip(whole);
        for (var length = 0; length < whole.Length; length++)
        {
            folder.Write(Images, whole[..length]);
            Assert.That(() => Mnist.Load(folder.Path, Split.Test), Throws.TypeOf<CorruptFileException>(), $"cut after {length} of {whole.Length} bytes");
        }
    }

    [Test]
    public void WhatFollowsAGzipStreamIsFound()
    {
        Write(Labels, Idx(0x801, [1], [3]));
        folder.Write(Images + ".gz", [.. TemporaryFolder.Gzip(Idx(0x803, [1, 1, 1], [3])), 1, 2, 3, 4, 5]);
        Assert.That(() => Mnist.Load(folder.Path, Split.Test), Throws.TypeOf<CorruptFileException>().With.Message.Contains("trailer"));
    }

    private void Write(string name, byte[] bytes) => folder.Write(name, name.EndsWith(".gz", StringComparison.Ordinal) ? TemporaryFolder.Gzip(bytes) : bytes);

    private static byte[] Idx(uint magic, uint[] sizes, byte[] elements)
    {
        var header = new byte[4 + 4 * sizes.Length];
        BinaryPrimitives.WriteUInt32BigEndian(header, magic);
        for (var i = 0; i < sizes.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 + 4 * i), sizes[i]);
        return [.. header, .. elements];
    }
}
