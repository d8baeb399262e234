using System.Numerics;
using CnnNative.Vision.Datasets;

namespace CnnNative.Vision.Transforms;

/// <summary>
/// From bytes to what a network takes: (pixel / 255 - mean) / deviation, channel by channel. Computed as
/// pixel * scale + offset with both factors rounded once, so that every machine gives the same bits.
/// </summary>
public sealed class Normalization
{
    private readonly float[] scale, offset;

    /// <summary>Creates a normalisation.</summary>
    /// <param name="mean">Mean of each channel, of pixels in 0 to 1.</param>
    /// <param name="deviation">Standard deviation of each channel, of pixels in 0 to 1.</param>
    /// <exception cref="ArgumentException">The counts differ, there is no channel, or a deviation is not a positive number.</exception>
    public Normalization(IReadOnlyList<float> mean, IReadOnlyList<float> deviation)
    {
        if (mean.Count == 0 || mean.Count != deviation.Count)
            throw new ArgumentException($"Normalization: {mean.Count} means and {deviation.Count} deviations, expected one of each per channel");
        foreach (var value in deviation)
        {
            if (!(value > 0f) || float.IsInfinity(value)) throw new ArgumentException($"Normalization: deviation {value}, expected a positive number");
        }

        Mean = mean;
        Deviation = deviation;
        scale = [.. deviation.Select(value => (float)(1.0 / (255.0 * value)))];
        offset = [.. mean.Zip(deviation, (m, d) => (float)(-(double)m / d))];
    }

    /// <summary>Mean of each channel, of pixels in 0 to 1.</summary>
    public IReadOnlyList<float> Mean { get; }

    /// <summary>Standard deviation of each channel, of pixels in 0 to 1.</summary>
    public IReadOnlyList<float> Deviation { get; }

    /// <summary>Number of channels.</summary>
    public int Channels => scale.Length;

    /// <summary>The mean and deviation of all pixels of a data set, from exact integer sums.</summary>
    /// <param name="dataset">The data set, with at least one image.</param>
    /// <exception cref="ArgumentException">The data set is empty, or a channel is the same everywhere.</exception>
    public static Normalization Measure(ImageDataset dataset)
    {
        var sums = new ulong[dataset.Channels];
        var squares = new ulong[dataset.Channels];
        var pixels = new byte[dataset.ImageBytes];
        var plane = dataset.Height * dataset.Width;
        for (var i = 0; i < dataset.Count; i++)
        {
            dataset.Read(i, pixels);
            for (var c = 0; c < dataset.Channels; c++)
            {
                foreach (uint pixel in pixels.AsSpan(c * plane, plane))
                {
                    sums[c] += pixel;
                    squares[c] += pixel * pixel;
                }
            }
        }

        var count = (double)dataset.Count * plane;
        var mean = sums.Select(sum => sum / count / 255.0).ToArray();
        var variance = squares.Zip(mean, (square, m) => square / count / (255.0 * 255.0) - m * m);
        return new Normalization([.. mean.Select(value => (float)value)], [.. variance.Select(value => (float)Math.Sqrt(value))]);
    }

    /// <summary>Normalises one image.</summary>
    /// <param name="pixels">Bytes (C, H, W).</param>
    /// <param name="target">As many numbers.</param>
    /// <exception cref="ArgumentException">The lengths differ or do not divide into the channels.</exception>
    public void Apply(ReadOnlySpan<byte> pixels, Span<float> target)
    {
        if (pixels.Length != target.Length || pixels.Length % Channels != 0)
            throw new ArgumentException($"Normalization: {pixels.Length} pixels into {target.Length} numbers, expected equal multiples of {Channels} channels");
        var plane = pixels.Length / Channels;
        for (var c = 0; c < Channels; c++)
            ApplyToPlane(pixels.Slice(c * plane, plane), target.Slice(c * plane, plane), scale[c], offset[c]);
    }

    private static void ApplyToPlane(ReadOnlySpan<byte> pixels, Span<float> target, float scale, float offset)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var offsets = new Vector<float>(offset);
            for (; i <= pixels.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            {
                Vector.Widen(new Vector<byte>(pixels[i..]), out var low, out var high);
                Store(low, target[i..]);
                Store(high, target[(i + Vector<ushort>.Count)..]);
            }

            void Store(Vector<ushort> values, Span<float> to)
            {
                Vector.Widen(values, out var first, out var second);
                (Vector.ConvertToSingle(Vector.AsVectorInt32(first)) * scale + offsets).CopyTo(to);
                (Vector.ConvertToSingle(Vector.AsVectorInt32(second)) * scale + offsets).CopyTo(to[Vector<float>.Count..]);
            }
        }

        for (; i < pixels.Length; i++) target[i] = pixels[i] * scale + offset;
    }
}
