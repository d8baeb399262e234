using CnnNative.Vision.Datasets;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Datasets;

public sealed class Cifar10Tests
{
    private const int RecordBytes = 3073;

    [Test]
    public void ReadsRecordsPlainAndGzipped()
    {
        using var folder = new TemporaryFolder();
        folder.Write("test_batch.bin.gz", TemporaryFolder.Gzip(Records(3, 9, 0)));
        var set = Cifar10.Load(folder.Path, Split.Test);
        Assert.That(set.ImageShape, Is.EqualTo(new Shape(3, 32, 32)));
        Assert.That(Enumerable.Range(0, set.Count).Select(set.Label), Is.EqualTo(new[] { 3, 9, 0 }));
        Assert.That(set.Pixels(2).ToArray(), Is.EqualTo(Records(3, 9, 0)[(2 * RecordBytes + 1)..]));
    }

    [Test]
    public void JoinsTheFiveTrainingFiles()
    {
        using var folder = new TemporaryFolder();
        for (byte i = 1; i <= 5; i++) folder.Write($"data_batch_{i}.bin", Records(i));
        var set = Cifar10.Load(folder.Path, Split.Train);
        Assert.That(Enumerable.Range(0, set.Count).Select(set.Label), Is.EqualTo(new[] { 1, 2, 3, 4, 5 }));
        File.Delete(Path.Combine(folder.Path, "data_batch_4.bin"));
        Assert.That(() => Cifar10.Load(folder.Path, Split.Train), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("data_batch_4.bin"));
    }

    [Test]
    public void EveryDefectIsNamed([Values] bool gzipped)
    {
        using var folder = new TemporaryFolder();
        Assert.That(Message([]), Does.Contain("0 bytes"));
        Assert.That(Message(Records(1, 2)[..^1]), Does.Contain("6,145"));
        Assert.That(Message(Records(1, 10)), Does.Contain("label 10 of image 1"));

        string Message(byte[] bytes)
        {
            var path = folder.Write("any.bin", gzipped ? TemporaryFolder.Gzip(bytes) : bytes);
            return Assert.Throws<CorruptFileException>(() => Cifar10.LoadFiles("some", path))!.Message;
        }
    }

    private static byte[] Records(params byte[] labels)
    {
        var bytes = new byte[labels.Length * RecordBytes];
        new Random(1).NextBytes(bytes);
        for (var i = 0; i < labels.Length; i++) bytes[i * RecordBytes] = labels[i];
        return bytes;
    }
}
