using CnnNative.Vision.Transforms;

namespace CnnNative.Vision.Datasets;

/// <summary>A data set whose pixels and labels are all in memory.</summary>
public sealed class InMemoryDataset : ImageDataset
{
    private readonly byte[] pixels, labels;

    /// <summary>Creates a data set over the given arrays, which are not copied.</summary>
    /// <param name="name">Name, for messages and reports.</param>
    /// <param name="pixels">The images one after the other, each (C, H, W).</param>
    /// <param name="labels">One class per image.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="classNames">One name per class.</param>
    /// <param name="normalization">What models are trained with.</param>
    /// <exception cref="ArgumentException">The numbers of pixels and labels do not fit, or a label names no class.</exception>
    public InMemoryDataset(
        string name, byte[] pixels, byte[] labels, int channels, int height, int width,
        IReadOnlyList<string> classNames, Normalization normalization)
        : base(name, labels.Length, channels, height, width, classNames, normalization)
    {
        if (pixels.Length != (long)labels.Length * ImageBytes)
            throw new ArgumentException($"{name}: {pixels.Length:N0} pixels for {labels.Length:N0} labels of images {ImageShape}, expected {(long)labels.Length * ImageBytes:N0}");
        var wrong = labels.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)(classNames.Count - 1));
        if (wrong >= 0) throw new ArgumentException($"{name}: label {labels[wrong]} of image {wrong}, expected less than {classNames.Count}");
        this.pixels = pixels;
        this.labels = labels;
    }

    /// <inheritdoc/>
    public override int Label(int index) => labels[Checked(index)];

    /// <inheritdoc/>
    public override void Read(int index, Span<byte> pixels) => Pixels(index).CopyTo(pixels);

    /// <summary>The pixels of one image (C, H, W), where they are.</summary>
    /// <param name="index">0 to <see cref="ImageDataset.Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    public ReadOnlySpan<byte> Pixels(int index) => pixels.AsSpan(Checked(index) * ImageBytes, ImageBytes);

    private int Checked(int index) => (uint)index < (uint)Count
        ? index
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"{Name} has {Count} images");
}
