using System.Buffers.Binary;
using CnnNative.Vision.Images;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Images;

public sealed class BmpTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void ReadsEveryDepthInBothDirections([Values(8, 24, 32)] int bits, [Values] bool topDown)
    {
        foreach (var width in new[] { 1, 2, 3, 4, 5 })
        {
            var image = ImageFile.Read(folder.Write("a.bmp", Make(width, 3, bits, topDown)));
            Assert.That((image.Channels, image.Height, image.Width), Is.EqualTo((3, 3, width)));
            for (var i = 0; i < image.Pixels.Length; i++)
            {
                var (c, y, x) = (i / (3 * width), i / width % 3, i % width);
                Assert.That(image.Pixels[i], Is.EqualTo(Color(y, x, c)), $"channel {c}, row {y}, column {x}");
            }
        }
    }

    [Test]
    public void EveryTruncationIsFound([Values(8, 24, 32)] int bits)
    {
        var whole = Make(5, 3, bits, topDown: false);
        for (var length = 0; length < whole.Length; length++)
        {
            var path = folder.Write("cut.bmp", whole[..length]);
            Assert.That(() => ImageFile.Read(path), Throws.TypeOf<CorruptFileException>(), $"cut after {length} of {whole.Length} bytes");
        }
    }

    [Test]
    public void RandomDamageGivesTypedErrorsOnly()
    {
        var random = new Random(3);
        for (var round = 0; round < 3000; round++)
        {
            var bytes = Make(5, 3, new[] { 8, 24, 32 }[round % 3], topDown: round % 2 == 0);
            for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(2, 54)] = (byte)random.Next(256);
            PngTests.TypedOnly(folder.Write("damaged.bmp", bytes), $"round {round}");
        }
    }

    [TestCase(28, 16, "16 bits")]
    [TestCase(30, 1, "compression 1")]
    [TestCase(18, 0, "0 x 3")]
    public void WhatIsNotReadIsNamed(int offset, byte value, string expected)
    {
        var bytes = Make(5, 3, 24, topDown: false);
        bytes[offset] = value;
        var path = folder.Write("other.bmp", bytes);
        Assert.That(() => ImageFile.Read(path), Throws.TypeOf<CorruptFileException>().With.Message.Contains(expected));
    }

    private static byte Color(int y, int x, int c) => (byte)(40 * y + 9 * x + 70 * c);

    private static byte[] Make(int width, int height, int bits, bool topDown)
    {
        var rowBytes = (width * bits + 31) / 32 * 4;
        var palette = bits == 8 ? 4 * width * height : 0;
        var bytes = new byte[54 + palette + rowBytes * height];
        (bytes[0], bytes[1]) = ((byte)'B', (byte)'M');
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(10), 54 + palette);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(22), topDown ? -height : height);
        bytes[28] = (byte)bits;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(46), palette / 4);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var at = 54 + palette + (topDown ? y : height - 1 - y) * rowBytes + x * bits / 8;
                var colorAt = at;
                if (bits == 8)
                {
                    bytes[at] = (byte)(y * width + x);
                    colorAt = 54 + 4 * bytes[at];
                }

                for (var c = 0; c < 3; c++) bytes[colorAt + 2 - c] = Color(y, x, c);
            }
        }

        return bytes;
    }
}
