namespace CnnNative.Vision.Images;

/// <summary>A picture in memory.</summary>
/// <param name="Channels">1 for grey, 3 for red, green and blue.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Pixels">Bytes (C, H, W): one plane after the other.</param>
public sealed record Image(int Channels, int Height, int Width, byte[] Pixels)
{
    /// <summary>The picture in grey or in colours. Grey is the luma of ITU-R BT.601: 0.299 red + 0.587 green + 0.114 blue.</summary>
    /// <param name="channels">1 or 3.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another number of channels.</exception>
    public Image ToChannels(int channels)
    {
        if (channels is not (1 or 3)) throw new ArgumentOutOfRangeException(nameof(channels), channels, "a picture becomes 1 channel (grey) or 3 (red, green, blue)");
        if (channels == Channels) return this;
        if (channels == 3) return this with { Channels = 3, Pixels = [.. Pixels, .. Pixels, .. Pixels] };

        var plane = Width * Height;
        var grey = new byte[plane];
        for (var i = 0; i < plane; i++)
            grey[i] = (byte)((299 * Pixels[i] + 587 * Pixels[plane + i] + 114 * Pixels[2 * plane + i] + 500) / 1000);
        return this with { Channels = 1, Pixels = grey };
    }

    /// <summary>The picture at another size, its aspect ratio not kept: each new pixel is the mean of the area that it covers, rounded.</summary>
    /// <param name="height">New height in pixels.</param>
    /// <param name="width">New width in pixels.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public Image Resize(int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (height == Height && width == Width) return this;
        var resized = new byte[checked(Channels * height * width)];
        for (var c = 0; c < Channels; c++)
        {
            var plane = Pixels.AsSpan(c * Height * Width, Height * Width);
            AreaResize.Apply(plane, Height, Width, resized.AsSpan(c * height * width), height, width);
        }

        return new Image(Channels, height, width, resized);
    }

    /// <summary>The negative. The digits of MNIST, and those that are generated, are light on dark; ink on paper is the negative of that.</summary>
    public Image Invert() => this with { Pixels = Array.ConvertAll(Pixels, pixel => (byte)(byte.MaxValue - pixel)) };

    /// <summary>Whether the edge of the picture is, on average, lighter than medium grey: a hint that something dark is drawn on a light ground.</summary>
    public bool HasLightEdge()
    {
        long sum = 0, count = 0;
        for (var c = 0; c < Channels; c++)
        {
            for (var y = 0; y < Height; y++)
            {
                var step = y == 0 || y == Height - 1 ? 1 : Math.Max(1, Width - 1);
                for (var x = 0; x < Width; x += step, count++) sum += Pixels[(c * Height + y) * Width + x];
            }
        }

        return sum * 2 > count * byte.MaxValue;
    }
}
