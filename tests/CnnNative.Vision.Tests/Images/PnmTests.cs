using System.Text;
using CnnNative.Vision.Images;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Images;

public sealed class PnmTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [TestCase("P2\n# a comment\n3 2 # and another\n255\n0 1 2\n253 254 255", 1, new byte[] { 0, 1, 2, 253, 254, 255 })]
    [TestCase("P2 3 2 5 0 1 2 3 4 5", 1, new byte[] { 0, 51, 102, 153, 204, 255 })]
    [TestCase("P5 3 2 255\nABCabc", 1, new byte[] { 65, 66, 67, 97, 98, 99 })]
    [TestCase("P5 3 1 65535\n\0\0@@~~", 1, new byte[] { 0, 64, 126 })]
    [TestCase("P3 1 2 255 1 2 3 4 5 6", 3, new byte[] { 1, 4, 2, 5, 3, 6 })]
    [TestCase("P6\n1\t2\r255 ABCabc", 3, new byte[] { 65, 97, 66, 98, 67, 99 })]
    public void ReadsEveryKind(string text, int channels, byte[] expected)
    {
        var image = ImageFile.Read(folder.Write("a.pnm", Encoding.Latin1.GetBytes(text)));
        Assert.That(image.Channels, Is.EqualTo(channels));
        Assert.That(image.Pixels, Is.EqualTo(expected));
    }

    [TestCase("P5 3 2 255\nABCab", "need at least 6")]
    [TestCase("P5 3 2 0\nABCabc", "largest sample")]
    [TestCase("P5 3 2 70000\nABCabc", "largest sample")]
    [TestCase("P5 99999999 99999999 255\nABC", "99999999 x 99999999")]
    [TestCase("P5 999999999999 2 255\nABC", "expected at least")]
    [TestCase("P5 3 2 100\nABCabz", "a sample is 122")]
    [TestCase("P5 3 2 255", "blank")]
    [TestCase("P5 x 2 255\nABC", "width")]
    [TestCase("P5 3", "height")]
    [TestCase("P2 2 1 255 1 300", "a sample is 300")]
    [TestCase("P2 2 1 255 1 -3", "sample")]
    [TestCase("P4 2 1 1", "is not a PNG")]
    [TestCase("", "is not a PNG")]
    public void EveryDefectIsNamed(string text, string expected)
    {
        var path = folder.Write("bad.pnm", Encoding.Latin1.GetBytes(text));
        Assert.That(() => ImageFile.Read(path), Throws.TypeOf<CorruptFileException>().With.Message.Contains(expected));
    }

    [Test]
    public void RandomDamageGivesTypedErrorsOnly()
    {
        var random = new Random(3);
        string[] texts = ["P2 3 2 255 0 1 2 253 254 255", "P5 3 2 255\nABCabc", "P3 1 2 255 1 2 3 4 5 6", "P6 1 2 255 ABCabc"];
        for (var round = 0; round < 3000; round++)
        {
            var bytes = Encoding.Latin1.GetBytes(texts[round % 4]);
            for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            PngTests.TypedOnly(folder.Write("damaged.pnm", bytes[..random.Next(bytes.Length + 1)]), $"round {round}");
        }
    }

    [Test]
    public void AMissingFileIsNamed() =>
        Assert.That(() => ImageFile.Read(Path.Combine(folder.Path, "none.png")), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("none.png"));
}
