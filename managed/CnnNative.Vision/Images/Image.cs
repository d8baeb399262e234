namespace CnnNative.Vision.Images;

/// <summary>A picture in memory: bytes in the order (C, H, W), with one channel (grey) or three (red, green, blue).</summary>
/// <param name="Channels">1 or 3.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Pixels">Channels * Height * Width bytes.</param>
public sealed record Image(int Channels, int Height, int Width, byte[] Pixels)
{
    /// <summary>The same picture in one or three channels. Colours become grey by their luminance (ITU-R BT.601); grey becomes three equal channels.</summary>
    /// <param name="channels">1 or 3.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another number of channels.</exception>
    public Image ToChannels(int channels)
    {
        if (channels is not (1 or 3)) throw new ArgumentOutOfRangeException(nameof(channels), channels, "a picture has one channel or three");
        if (channels == Channels) return this;
        var plane = Height * Width;
        var target = new byte[channels * plane];
        for (var i = 0; i < plane; i++)
        {
            if (channels == 3) target[i] = target[plane + i] = target[2 * plane + i] = Pixels[i];
            else target[i] = (byte)((299 * Pixels[i] + 587 * Pixels[plane + i] + 114 * Pixels[2 * plane + i] + 500) / 1000);
        }

        return new Image(channels, Height, Width, target);
    }

    /// <summary>The picture in another size: each new pixel is the mean over the area that it covers, by linear interpolation where that is less than a pixel.</summary>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    public Image Resize(int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if ((height, width) == (Height, Width)) return this;
        var (rows, columns) = (Weights(Height, height), Weights(Width, width));
        var target = new byte[Channels * height * width];
        for (var c = 0; c < Channels; c++)
        {
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++) target[(c * height + y) * width + x] = Mean(c, rows[y], columns[x]);
            }
        }

        return new Image(Channels, height, width, target);
    }

    /// <summary>The triangle filter of each target pixel: first source pixel and weights that sum to 1.</summary>
    private static (int First, double[] Weights)[] Weights(int source, int target)
    {
        var scale = (double)source / target;
        var radius = Math.Max(1.0, scale);
        var result = new (int, double[])[target];
        for (var i = 0; i < target; i++)
        {
            var center = (i + 0.5) * scale - 0.5;
            var first = Math.Max(0, (int)Math.Ceiling(center - radius));
            var last = Math.Min(source - 1, (int)Math.Floor(center + radius));
            var weights = Enumerable.Range(first, last - first + 1).Select(at => Math.Max(0, 1 - Math.Abs(at - center) / radius)).ToArray();
            var sum = weights.Sum();
            result[i] = (first, Array.ConvertAll(weights, weight => weight / sum));
        }

        return result;
    }

    private byte Mean(int channel, (int First, double[] Weights) rows, (int First, double[] Weights) columns)
    {
        var sum = 0.0;
        for (var y = 0; y < rows.Weights.Length; y++)
        {
            var line = (channel * Height + rows.First + y) * Width + columns.First;
            for (var x = 0; x < columns.Weights.Length; x++) sum += rows.Weights[y] * columns.Weights[x] * Pixels[line + x];
        }

        return (byte)Math.Clamp(Math.Round(sum), 0, 255);
    }
}
