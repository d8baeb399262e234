using CnnNative.Vision.Images;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Images;

public sealed class PngTests
{
    private TemporaryFolder folder = null!;

    /// <summary>Every colour type and depth; types 4 and 6 always have a transparency of their own.</summary>
    private static IEnumerable<object[]> Kinds() =>
        from kind in new (int Color, int[] Depths)[] { (0, [1, 2, 4, 8, 16]), (2, [8, 16]), (3, [1, 2, 4, 8]), (4, [8, 16]), (6, [8, 16]) }
        from depth in kind.Depths
        from interlaced in new[] { false, true }
        from transparent in kind.Color >= 4 ? new[] { true } : [false, true]
        select new object[] { kind.Color, depth, interlaced, transparent };

    [SetUp]
    public void MakeFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    /// <summary>Sizes below, at and above the square of 8 x 8 of the interlacing, some of whose passes are then empty.</summary>
    [TestCaseSource(nameof(Kinds))]
    public void EveryKindIsRead(int color, int depth, bool interlaced, bool transparent)
    {
        foreach (var (height, width) in new[] { (1, 1), (2, 3), (8, 8), (5, 11), (17, 13) })
        {
            var count = color switch { 0 or 3 => 1, 4 => 2, 2 => 3, _ => 4 };
            var random = new Random(height * 100 + width);
            var samples = new int[height, width, count];
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    for (var s = 0; s < count; s++) samples[y, x, s] = random.Next(1 << depth);
                }
            }

            var palette = new byte[3 << Math.Min(depth, 8)];
            random.NextBytes(palette);
            byte[]? clear = !transparent || color >= 4 ? null
                : color == 3 ? [0, 77]
                : [.. Enumerable.Range(0, count).SelectMany(s => new[] { (byte)(samples[0, 0, s] >> 8), (byte)samples[0, 0, s] })];
            var path = folder.Write("a.png", PngMaker.Make(samples, depth, color, interlaced, color == 3 ? palette : null, clear));

            var image = ImageFile.Read(path);

            var channels = color is 0 or 4 ? 1 : 3;
            Assert.That((image.Channels, image.Height, image.Width), Is.EqualTo((channels, height, width)));
            for (var i = 0; i < image.Pixels.Length; i++)
            {
                var (c, y, x) = (i / (height * width), i / width % height, i % width);
                Assert.That((double)image.Pixels[i], Is.EqualTo(Shown(samples, y, x, c, color, depth, palette, clear)).Within(0.5 + 1e-9), $"{height} x {width}, channel {c}, row {y}, column {x}");
            }
        }
    }

    [Test]
    public void WhatIsWrittenIsRead() => Prop.ForAll(
        (from c in Gen.Elements(1, 3) from h in Gen.Choose(1, 40) from w in Gen.Choose(1, 40) from seed in Gen.Choose(0, 1000) select (c, h, w, seed)).ToArbitrary(),
        sizes =>
        {
            var pixels = new byte[sizes.c * sizes.h * sizes.w];
            new Random(sizes.seed).NextBytes(pixels);
            var path = Path.Combine(folder.Path, "b.png");
            PngWriter.Write(path, new Image(sizes.c, sizes.h, sizes.w, pixels));
            var image = ImageFile.Read(path);
            return (image.Channels, image.Height, image.Width) == (sizes.c, sizes.h, sizes.w) && image.Pixels.SequenceEqual(pixels);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(50));

    [Test]
    public void EveryTruncationIsFound()
    {
        var whole = Colorful();
        for (var length = 0; length < whole.Length; length++)
        {
            var path = folder.Write("cut.png", whole[..length]);
            Assert.That(() => ImageFile.Read(path), Throws.TypeOf<CorruptFileException>(), $"cut after {length} of {whole.Length} bytes");
        }
    }

    [Test]
    public void EveryFlippedBitIsFound()
    {
        var whole = Colorful();
        for (var bit = 0; bit < 8 * whole.Length; bit++)
        {
            var bytes = (byte[])whole.Clone();
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            var path = folder.Write("flipped.png", bytes);
            Assert.That(() => ImageFile.Read(path), Throws.TypeOf<CorruptFileException>(), $"bit {bit % 8} of byte {bit / 8}");
        }
    }

    /// <summary>Damage with valid checks, as a hostile writer would make it: a picture or the typed error, nothing else.</summary>
    [Test]
    public void DamageBehindValidChecksGivesTypedErrorsOnly()
    {
        var random = new Random(5);
        for (var round = 0; round < 3000; round++)
        {
            var header = PngMaker.Header(5, 4, 8, 3, interlaced: true);
            var palette = new byte[30];
            var rows = new byte[40];
            random.NextBytes(rows);
            for (var i = 0; i < rows.Length; i++) rows[i] %= 12;
            if (random.Next(2) == 0) header[random.Next(header.Length)] = (byte)random.Next(32);
            var data = PngMaker.Compress(rows[..random.Next(1, rows.Length)]);
            if (random.Next(2) == 0) data[random.Next(data.Length)] ^= (byte)(1 << random.Next(8));
            byte[] file =
            [
                .. PngMaker.Signature, .. PngMaker.Chunk("IHDR", header), .. PngMaker.Chunk("PLTE", palette[..random.Next(30)]),
                .. PngMaker.Chunk("tRNS", palette[..random.Next(4)]), .. PngMaker.Chunk("IDAT", data), .. PngMaker.Chunk("IEND", []),
            ];
            var path = folder.Write("hostile.png", file);
            TypedOnly(path, $"round {round}");
        }
    }

    [TestCase(50_000, 50_000, "50000 x 50000")]
    [TestCase(0, 5, "0 x 5")]
    [TestCase(-1, 5, "4294967295 x 5")]
    [TestCase(8000, 8000, "compressed bytes can hold")]
    public void AHeaderThatPromisesTooMuchTakesNoMemory(int width, int height, string expected)
    {
        byte[] file =
        [
            .. PngMaker.Signature, .. PngMaker.Chunk("IHDR", PngMaker.Header(width, height, 8, 6, false)),
            .. PngMaker.Chunk("IDAT", PngMaker.Compress(new byte[1000])), .. PngMaker.Chunk("IEND", []),
        ];
        var path = folder.Write("huge.png", file);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => ImageFile.Read(path), Throws.TypeOf<CorruptFileException>().With.Message.Contains(expected));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [Test]
    public void AnUnknownCriticalChunkIsRefused()
    {
        byte[] file = [.. PngMaker.Signature, .. PngMaker.Chunk("IHDR", PngMaker.Header(1, 1, 8, 0, false)), .. PngMaker.Chunk("FOOO", [1])];
        var path = folder.Write("unknown.png", [.. file, .. PngMaker.Chunk("IEND", [])]);
        Assert.That(() => ImageFile.Read(path), Throws.TypeOf<CorruptFileException>().With.Message.Contains("FOOO"));
    }

    /// <summary>A picture, or <see cref="CorruptFileException"/>; anything else fails the test by itself.</summary>
    internal static void TypedOnly(string path, string what)
    {
        try
        {
            var image = ImageFile.Read(path);
            Assert.That(image.Pixels, Has.Length.EqualTo(image.Channels * image.Height * image.Width), what);
        }
        catch (CorruptFileException problem)
        {
            Assert.That(problem.Message, Does.StartWith(path).And.Not.Contains("\n"), what);
        }
    }

    private static byte[] Colorful()
    {
        var samples = new int[7, 6, 3];
        for (var i = 0; i < 7 * 6 * 3; i++) samples[i / 18, i / 3 % 6, i % 3] = i * 2 % 256;
        return PngMaker.Make(samples, 8, 2, interlaced: true);
    }

    /// <summary>What a viewer shows on white, in real numbers.</summary>
    private static double Shown(int[,,] samples, int y, int x, int c, int color, int depth, byte[] palette, byte[]? clear)
    {
        var top = (1 << depth) - 1.0;
        var value = color == 3 ? palette[3 * samples[y, x, 0] + c] : 255 * samples[y, x, c] / top;
        var isClear = clear is not null && color != 3
            && Enumerable.Range(0, clear.Length / 2).All(s => samples[y, x, s] == (clear[2 * s] << 8 | clear[2 * s + 1]));
        var alpha = color switch
        {
            3 when clear is not null && samples[y, x, 0] < clear.Length => clear[samples[y, x, 0]] / 255.0,
            4 => samples[y, x, 1] / top,
            6 => samples[y, x, 3] / top,
            _ => isClear ? 0 : 1,
        };
        return value * alpha + 255 * (1 - alpha);
    }
}
