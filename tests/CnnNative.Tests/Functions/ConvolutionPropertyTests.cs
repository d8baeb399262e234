using CnnNative.Engines;
using CnnNative.TestKit;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>What holds for every convolution, whatever its numbers.</summary>
[EngineFixtures]
public sealed class ConvolutionPropertyTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static readonly Config Settings = Config.QuickThrowOnFailure.WithMaxTest(Switches.Rows(40, 1000));

    /// <summary>Sizes of one problem; FsCheck finds the smallest that fails.</summary>
    private sealed record Sizes(int N, int C, int K, int H, int W, int R, int S, int Stride, int Seed);

    private static Arbitrary<Sizes> AnySizes => (
        from n in Gen.Choose(1, 3)
        from c in Gen.Choose(1, 5)
        from k in Gen.Choose(1, 5)
        from h in Gen.Choose(3, 12)
        from w in Gen.Choose(3, 20)
        from r in Gen.Choose(1, 3)
        from s in Gen.Choose(1, 3)
        from stride in Gen.Choose(1, 3)
        from seed in Gen.Choose(0, 1_000_000)
        select new Sizes(n, c, k, h, w, r, s, stride, seed)).ToArbitrary();

    [Test]
    public void IsLinearInItsInput() => Check(sizes =>
    {
        var (random, w) = Weights(sizes);
        var (a, b) = (Numbers(random, sizes.N, sizes.C, sizes.H, sizes.W), Numbers(random, sizes.N, sizes.C, sizes.H, sizes.W));
        Tensor Convolve(Tensor x) => Functional.Conv2d(x, w, stride: sizes.Stride, padding: 1);
        var together = Convolve(Functional.Add(Functional.Scale(a, 3), b)).ToArray<float>();
        var apart = Functional.Add(Functional.Scale(Convolve(a), 3), Convolve(b)).ToArray<float>();
        Near(together, apart, sizes.C * sizes.R * sizes.S);
    });

    [Test]
    public void IsLinearInItsFilters() => Check(sizes =>
    {
        var (random, w) = Weights(sizes);
        var (_, v) = Weights(sizes with { Seed = sizes.Seed + 1 });
        var x = Numbers(random, sizes.N, sizes.C, sizes.H, sizes.W);
        var together = Functional.Conv2d(x, Functional.Add(w, v), stride: sizes.Stride).ToArray<float>();
        var apart = Functional.Add(Functional.Conv2d(x, w, stride: sizes.Stride), Functional.Conv2d(x, v, stride: sizes.Stride)).ToArray<float>();
        Near(together, apart, sizes.C * sizes.R * sizes.S);
    });

    [Test]
    public void ACircularShiftOfTheImageShiftsTheResult() => Check(sizes =>
    {
        var (random, w) = Weights(sizes with { R = 3, S = 3 });
        var x = Numbers(random, sizes.N, sizes.C, sizes.H, sizes.W);
        var (down, right) = (random.Next(sizes.H), random.Next(sizes.W));
        Tensor Convolve(Tensor image) => Functional.Conv2d(image, w, padding: 1, paddingMode: PaddingMode.Circular);
        var shiftedFirst = Convolve(Shift(x, down, right)).ToArray<float>();
        var shiftedLast = Shift(Convolve(x), down, right).ToArray<float>();
        Near(shiftedFirst, shiftedLast, sizes.C * 9);
    });

    [Test]
    public void GroupsAreConvolutionsOfPartsBehindEachOther() => Check(sizes =>
    {
        var random = new Random(sizes.Seed);
        var groups = 1 + sizes.Seed % 4;
        var parts = Enumerable.Range(0, groups).Select(_ => Numbers(random, sizes.N, sizes.C, sizes.H, sizes.W)).ToArray();
        var filters = Enumerable.Range(0, groups).Select(_ => Numbers(random, sizes.K, sizes.C, sizes.R, sizes.S)).ToArray();
        var together = Functional.Conv2d(Functional.Concat(parts, 1), Functional.Concat(filters, 0), stride: sizes.Stride, padding: 1, groups: groups);
        var apart = Functional.Concat([.. parts.Zip(filters, (x, w) => Functional.Conv2d(x, w, stride: sizes.Stride, padding: 1))], 1);
        Near(together.ToArray<float>(), apart.ToArray<float>(), sizes.C * sizes.R * sizes.S);
    });

    [Test]
    public void EveryImageOfABatchIsConvolvedByItself() => Check(sizes =>
    {
        var (random, w) = Weights(sizes);
        var images = Enumerable.Range(0, sizes.N).Select(_ => Numbers(random, 1, sizes.C, sizes.H, sizes.W)).ToArray();
        var together = Functional.Conv2d(Functional.Concat(images, 0), w, padding: 1).ToArray<float>();
        Near(together, [.. images.SelectMany(image => Functional.Conv2d(image, w, padding: 1).ToArray<float>())], sizes.C * sizes.R * sizes.S);
    });

    [Test]
    public void PoolingOfAConstantIsThatConstant() => Check(sizes =>
    {
        var value = sizes.Seed / 1000f - 500;
        var x = Tensor.Full([sizes.N, sizes.C, sizes.H, sizes.W], value, Device);
        var average = Functional.AvgPool2d(x, (sizes.R, sizes.S), sizes.Stride, (sizes.R / 2, sizes.S / 2), countIncludePad: false);
        Assert.That(average.ToArray<float>(), Is.All.EqualTo(value).Within(4).Ulps);
        // Half a unit for each addition to a sum of the whole image, at most.
        var ulps = sizes.H * sizes.W / 2 + 1;
        Assert.That(Functional.AdaptiveAvgPool2d(x, (sizes.K, sizes.S)).ToArray<float>(), Is.All.EqualTo(value).Within(ulps).Ulps);
        Assert.That(Functional.GlobalAvgPool2d(x).ToArray<float>(), Is.All.EqualTo(value).Within(ulps).Ulps);
        Assert.That(Functional.MaxPool2d(x, (sizes.R, sizes.S), sizes.Stride, (sizes.R / 2, sizes.S / 2)).ToArray<float>(), Is.All.EqualTo(value));
    });

    [Test]
    public void SoftmaxSumsToOneAndIgnoresAShift() => Check(sizes =>
    {
        var x = Functional.Scale(Numbers(new Random(sizes.Seed), sizes.N, sizes.C * sizes.W), 20);
        var y = Functional.Softmax(x).ToArray<float>();
        foreach (var row in y.Chunk(sizes.C * sizes.W)) Assert.That(row.Sum(value => (double)value), Is.EqualTo(1).Within(1e-6));
        // A shift by a power of two that all inputs share rounds the inputs, by at most 2^-18.
        var shifted = Functional.Softmax(Functional.Add(x, Tensor.Full(x.Shape, 64, Device))).ToArray<float>();
        Assert.That(shifted.Zip(y, (a, b) => Math.Abs(a - b)), Is.All.LessThan(1e-5));
    });

    private void Check(Action<Sizes> property) =>
        Prop.ForAll(AnySizes, sizes =>
        {
            using var scope = Device.Inference();
            property(sizes);
        }).Check(Settings);

    private (Random Random, Tensor W) Weights(Sizes sizes)
    {
        var random = new Random(sizes.Seed);
        return (random, Numbers(random, sizes.K, sizes.C, sizes.R, sizes.S));
    }

    private Tensor Numbers(Random random, params int[] shape)
    {
        var target = new Shape(shape);
        return Tensor.From(Array.ConvertAll(new float[target.Count], _ => random.NextSingle() * 2 - 1), target, Device);
    }

    private Tensor Shift(Tensor x, int down, int right)
    {
        var (values, h, w) = (x.ToArray<float>(), x.Shape[2], x.Shape[3]);
        var shifted = new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var (plane, row, column) = (i / (h * w), i / w % h, i % w);
            shifted[(plane * h + (row + down) % h) * w + (column + right) % w] = values[i];
        }

        return Tensor.From(shifted, x.Shape, Device);
    }

    /// <summary>Equal but for the roundings of sums of so many products of numbers up to 4 with numbers up to 2.</summary>
    private static void Near(float[] actual, float[] expected, int products) =>
        Agreement.Within(actual, Cast.Double(expected), 4e-7 * 8 * products, "element");
}
