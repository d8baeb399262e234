using CnnNative.Vision.Transforms;

namespace CnnNative.Vision.Datasets;

/// <summary>
/// Labelled images of one size. Pixels are bytes in the order (C, H, W). Reading is thread-safe and depends on nothing
/// but the index.
/// </summary>
public abstract class ImageDataset
{
    /// <summary>Creates the description of a data set.</summary>
    /// <param name="name">Name, for messages and reports.</param>
    /// <param name="count">Number of images.</param>
    /// <param name="channels">Channels: 1 for grey, 3 for red, green and blue.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="classNames">One name per class.</param>
    /// <param name="normalization">What models are trained with; the same for the training and the test part.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the normalisation has other channels.</exception>
    protected ImageDataset(
        string name, int count, int channels, int height, int width, IReadOnlyList<string> classNames, Normalization normalization)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (normalization.Channels != channels)
            throw new ArgumentException($"{name}: the normalisation has {normalization.Channels} channels, the images have {channels}");
        Name = name;
        Count = count;
        Channels = channels;
        Height = height;
        Width = width;
        ClassNames = classNames;
        Normalization = normalization;
    }

    /// <summary>Name, such as "MNIST test".</summary>
    public string Name { get; }

    /// <summary>Number of images.</summary>
    public int Count { get; }

    /// <summary>Channels: 1 for grey, 3 for red, green and blue.</summary>
    public int Channels { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Bytes of one image: C * H * W.</summary>
    public int ImageBytes => checked(Channels * Height * Width);

    /// <summary>The shape of one image: (C, H, W).</summary>
    public Shape ImageShape => [Channels, Height, Width];

    /// <summary>Number of classes; labels run from 0 to one less.</summary>
    public int ClassCount => ClassNames.Count;

    /// <summary>One name per class.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>How pixels become the numbers that models are trained with.</summary>
    public Normalization Normalization { get; }

    /// <summary>The class of one image.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    public abstract int Label(int index);

    /// <summary>Copies the pixels of one image.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    /// <param name="pixels">Room for <see cref="ImageBytes"/> bytes (C, H, W).</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    public abstract void Read(int index, Span<byte> pixels);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Count:N0} images {ImageShape}, {ClassCount} classes";
}
