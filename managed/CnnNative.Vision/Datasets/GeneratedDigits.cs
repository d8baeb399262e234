using CnnNative.Vision.Datasets.Digits;
using CnnNative.Vision.Transforms;

namespace CnnNative.Vision.Datasets;

/// <summary>
/// Digits as if written by hand, made by the program itself, so that everything runs without a download: 28 x 28 grey,
/// white on black, like <see cref="Mnist"/>. Image i depends only on the seed, the split and i: the same bytes on every
/// machine, and the first images of a small set are those of a large one.
/// </summary>
public static class GeneratedDigits
{
    /// <summary>Number of training images unless another is asked for.</summary>
    public const int DefaultTrainCount = 20_000;

    /// <summary>Number of test images unless another is asked for.</summary>
    public const int DefaultTestCount = 4_000;

    /// <summary>Upper half of the stream numbers, so that no other use of a seed draws the same numbers.</summary>
    private const ulong TrainStreams = 0x5452_0000_0000_0000, TestStreams = 0x5445_0000_0000_0000;

    /// <summary>Mean and deviation of the default training images.</summary>
    public static Normalization Normalization { get; } = new([0.14315f], [0.31103f]);

    /// <summary>Generates images on all cores.</summary>
    /// <param name="split">Training and test images never coincide.</param>
    /// <param name="seed">Another seed gives other images.</param>
    /// <param name="count">Number of images; null for the default of the split.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is not positive.</exception>
    public static InMemoryDataset Create(Split split, ulong seed = 0, int? count = null)
    {
        var images = count ?? (split == Split.Train ? DefaultTrainCount : DefaultTestCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(images, nameof(count));
        const int imageBytes = DigitPainter.Side * DigitPainter.Side;
        var pixels = new byte[checked(images * imageBytes)];
        var labels = new byte[images];
        var streams = split == Split.Train ? TrainStreams : TestStreams;
        Parallel.For(0, images, i =>
        {
            var random = new RandomReader(new RandomStream(seed, streams + (ulong)i));
            labels[i] = (byte)random.Below(Mnist.ClassNames.Count);
            DigitPainter.Paint(labels[i], ref random, pixels.AsSpan(i * imageBytes, imageBytes));
        });
        var name = $"generated digits {(split == Split.Train ? "train" : "test")}";
        return new InMemoryDataset(name, pixels, labels, 1, DigitPainter.Side, DigitPainter.Side, Mnist.ClassNames, Normalization);
    }
}
