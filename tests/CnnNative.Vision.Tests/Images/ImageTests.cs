using CnnNative.Vision.Images;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Images;

public sealed class ImageTests
{
    [Test]
    public void HalvingTakesTheMeanOfFour()
    {
        var image = new Image(1, 2, 4, [0, 10, 100, 101, 20, 30, 102, 104]);
        Assert.That(image.Resize(1, 2).Pixels, Is.EqualTo(new byte[] { 15, 102 }));
    }

    [Test]
    public void PartsOfPixelsCountAsParts()
    {
        // Three pixels to two: each new one covers one old one and half of the middle.
        Assert.That(new Image(1, 1, 3, [0, 90, 240]).Resize(1, 2).Pixels, Is.EqualTo(new byte[] { 30, 190 }));
    }

    [Test]
    public void ResizingFollowsTheIntegralOfThePicture() => Prop.ForAll(
        (from h in Gen.Choose(1, 13) from w in Gen.Choose(1, 13) from toH in Gen.Choose(1, 13) from toW in Gen.Choose(1, 13) from seed in Gen.Choose(0, 1000)
         select (h, w, toH, toW, seed)).ToArbitrary(),
        sizes =>
        {
            var pixels = new byte[sizes.h * sizes.w];
            new Random(sizes.seed).NextBytes(pixels);
            var resized = new Image(1, sizes.h, sizes.w, pixels).Resize(sizes.toH, sizes.toW);
            for (var y = 0; y < sizes.toH; y++)
            {
                for (var x = 0; x < sizes.toW; x++)
                {
                    var mean = 0.0;
                    for (var i = 0; i < sizes.h; i++)
                    {
                        for (var j = 0; j < sizes.w; j++)
                            mean += pixels[i * sizes.w + j] * Overlap(y, i, sizes.h, sizes.toH) * Overlap(x, j, sizes.w, sizes.toW);
                    }

                    Assert.That(resized.Pixels[y * sizes.toW + x], Is.EqualTo(mean).Within(0.5 + 1e-9));
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Test]
    public void ColorsBecomeLumaAndGreyBecomesThreeEqualPlanes()
    {
        var image = new Image(3, 1, 3, [255, 0, 0, 0, 255, 0, 0, 0, 255]);
        var grey = image.ToChannels(1);
        Assert.That(grey.Pixels, Is.EqualTo(new byte[] { 76, 150, 29 }));
        Assert.That(grey.ToChannels(3).Pixels, Is.EqualTo(new byte[] { 76, 150, 29, 76, 150, 29, 76, 150, 29 }));
        Assert.That(() => image.ToChannels(2), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void TheNegativeOfInkOnPaperHasADarkEdge()
    {
        var ink = new Image(1, 3, 3, [250, 240, 250, 245, 0, 250, 240, 250, 255]);
        Assert.That(ink.HasLightEdge());
        Assert.That(ink.Invert().HasLightEdge(), Is.False);
        Assert.That(ink.Invert().Pixels[4], Is.EqualTo(255));
        Assert.That(new Image(1, 1, 1, [200]).HasLightEdge());
    }

    /// <summary>Share of new pixel <paramref name="to"/> that lies over old pixel <paramref name="from"/>.</summary>
    private static double Overlap(int to, int from, int size, int newSize)
    {
        var scale = (double)size / newSize;
        return Math.Max(0, Math.Min((to + 1) * scale, from + 1) - Math.Max(to * scale, from)) / scale;
    }
}
