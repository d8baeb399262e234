using System.Buffers.Binary;

namespace CnnNative.Vision.Images;

/// <summary>The colour types of PNG.</summary>
internal enum PngColor
{
    Grey = 0,
    Rgb = 2,
    Palette = 3,
    GreyAlpha = 4,
    Rgba = 6,
}

/// <summary>The header of a PNG file (chunk IHDR).</summary>
internal readonly record struct PngHeader(int Width, int Height, int BitDepth, PngColor Color, bool IsInterlaced)
{
    private const int Bytes = 13;

    /// <summary>Samples per pixel in the file.</summary>
    public int Samples => Color switch
    {
        PngColor.Grey or PngColor.Palette => 1,
        PngColor.GreyAlpha => 2,
        PngColor.Rgb => 3,
        _ => 4,
    };

    /// <summary>Largest value of a sample.</summary>
    public int MaxSample => (1 << BitDepth) - 1;

    /// <summary>Distance of a byte to the one of the pixel before, for filters.</summary>
    public int FilterStep => Math.Max(1, Samples * BitDepth / 8);

    /// <summary>Bytes of one row of the given width, without its filter byte.</summary>
    public int RowBytes(int width) => checked((int)(((long)width * Samples * BitDepth + 7) / 8));

    /// <summary>Reads and checks the header.</summary>
    public static PngHeader Read(string path, ReadOnlySpan<byte> data)
    {
        if (data.Length != Bytes) throw new CorruptFileException(path, $"chunk IHDR has {data.Length} bytes, expected {Bytes}");
        var width = BinaryPrimitives.ReadUInt32BigEndian(data);
        var height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        var (depth, color, compression, filter, interlace) = (data[8], data[9], data[10], data[11], data[12]);
        ImageFile.CheckSize(path, width, height);
        var known = (PngColor)color switch
        {
            PngColor.Grey => depth is 1 or 2 or 4 or 8 or 16,
            PngColor.Palette => depth is 1 or 2 or 4 or 8,
            PngColor.Rgb or PngColor.GreyAlpha or PngColor.Rgba => depth is 8 or 16,
            _ => false,
        };
        if (!known) throw new CorruptFileException(path, $"colour type {color} with {depth} bits per sample is none of PNG's");
        if (compression != 0 || filter != 0 || interlace > 1)
            throw new CorruptFileException(path, $"compression {compression}, filter {filter}, interlace {interlace}; expected 0, 0, and 0 or 1");
        return new PngHeader((int)width, (int)height, depth, (PngColor)color, interlace == 1);
    }
}
