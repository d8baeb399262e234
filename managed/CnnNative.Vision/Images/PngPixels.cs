using System.Buffers.Binary;

namespace CnnNative.Vision.Images;

/// <summary>From filtered rows to planes of bytes: undoes the filters, unpacks samples, looks up the palette, shows transparency on white.</summary>
internal sealed class PngPixels(string path, PngHeader header, byte[]? palette, byte[]? transparency)
{
    /// <summary>Largest value of a colour and of its opacity; a palette has bytes, whatever the depth of its indices.</summary>
    private readonly long most = header.Color == PngColor.Palette ? byte.MaxValue : header.MaxSample;

    private readonly int channels = header.Color is PngColor.Grey or PngColor.GreyAlpha ? 1 : 3;

    /// <summary>Decodes the rows of all passes.</summary>
    public Image Decode(byte[] rows)
    {
        CheckTransparency();
        var pixels = new byte[checked(channels * header.Width * header.Height)];
        var at = 0;
        foreach (var pass in PngPass.Of(header))
        {
            var rowBytes = header.RowBytes(pass.Width);
            ReadOnlySpan<byte> above = new byte[rowBytes];
            for (var row = 0; row < pass.Height; row++)
            {
                var current = rows.AsSpan(at + 1, rowBytes);
                Unfilter(rows[at], current, above);
                StoreRow(current, pass, pass.Y + row * pass.StepY, pixels);
                above = current;
                at += 1 + rowBytes;
            }
        }

        return new Image(channels, header.Height, header.Width, pixels);
    }

    private void CheckTransparency()
    {
        if (transparency is null) return;
        var fits = header.Color switch
        {
            PngColor.Grey => transparency.Length == 2,
            PngColor.Rgb => transparency.Length == 6,
            PngColor.Palette => transparency.Length <= palette!.Length / 3,
            _ => false,
        };
        if (!fits) throw new CorruptFileException(path, $"chunk tRNS has {transparency.Length} bytes, which does not fit colour type {header.Color}");
    }

    private void Unfilter(byte filter, Span<byte> row, ReadOnlySpan<byte> above)
    {
        if (filter > 4) throw new CorruptFileException(path, $"a row has filter {filter}, expected 0 to 4");
        if (filter == 0) return;
        var step = header.FilterStep;
        for (var i = 0; i < row.Length; i++)
        {
            int left = i >= step ? row[i - step] : 0, up = above[i], upLeft = i >= step ? above[i - step] : 0;
            row[i] += (byte)(filter switch
            {
                1 => left,
                2 => up,
                3 => (left + up) / 2,
                _ => Paeth(left, up, upLeft),
            });
        }
    }

    /// <summary>Of left, up and upper left, the one nearest to left + up - upper left.</summary>
    private static int Paeth(int left, int up, int upLeft)
    {
        var guess = left + up - upLeft;
        var (toLeft, toUp, toUpLeft) = (Math.Abs(guess - left), Math.Abs(guess - up), Math.Abs(guess - upLeft));
        return toLeft <= toUp && toLeft <= toUpLeft ? left : toUp <= toUpLeft ? up : upLeft;
    }

    private void StoreRow(ReadOnlySpan<byte> row, in PngPass pass, int y, byte[] pixels)
    {
        Span<int> samples = stackalloc int[4];
        samples.Clear();
        var plane = header.Width * header.Height;
        for (var i = 0; i < pass.Width; i++)
        {
            for (var s = 0; s < header.Samples; s++) samples[s] = Sample(row, i * header.Samples + s);
            var alpha = Alpha(samples);
            var at = y * header.Width + pass.X + i * pass.StepX;
            for (var c = 0; c < channels; c++)
                pixels[c * plane + at] = OnWhite(header.Color == PngColor.Palette ? PaletteByte(samples[0], c) : samples[c], alpha);
        }
    }

    private int Sample(ReadOnlySpan<byte> row, int index) => header.BitDepth switch
    {
        16 => BinaryPrimitives.ReadUInt16BigEndian(row[(2 * index)..]),
        8 => row[index],
        var bits => (row[index * bits / 8] >> (8 - bits - index * bits % 8)) & header.MaxSample,
    };

    private long Alpha(ReadOnlySpan<int> samples)
    {
        if (header.Color == PngColor.GreyAlpha) return samples[1];
        if (header.Color == PngColor.Rgba) return samples[3];
        if (transparency is null) return most;
        if (header.Color == PngColor.Palette) return samples[0] < transparency.Length ? transparency[samples[0]] : most;
        for (var s = 0; s < header.Samples; s++)
        {
            if (samples[s] != BinaryPrimitives.ReadUInt16BigEndian(transparency.AsSpan(2 * s))) return most;
        }

        return 0;
    }

    private int PaletteByte(int index, int channel) => 3 * index < palette!.Length
        ? palette[3 * index + channel]
        : throw new CorruptFileException(path, $"a pixel has index {index}, but the palette has {palette.Length / 3} colours");

    /// <summary>A colour of some opacity before white, scaled to 0 to 255 and rounded once.</summary>
    private byte OnWhite(long value, long alpha) =>
        (byte)((byte.MaxValue * (value * alpha + most * (most - alpha)) + most * most / 2) / (most * most));
}
