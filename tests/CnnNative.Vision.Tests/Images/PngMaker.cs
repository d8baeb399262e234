using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace CnnNative.Vision.Tests.Images;

/// <summary>Makes PNG files of every kind, from samples; every row with another filter.</summary>
internal static class PngMaker
{
    public static readonly byte[] Signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>A whole file.</summary>
    /// <param name="samples">Indexed [y, x, sample].</param>
    /// <param name="depth">Bits per sample.</param>
    /// <param name="color">Colour type.</param>
    /// <param name="interlaced">Whether in seven passes.</param>
    /// <param name="palette">Chunk PLTE, or null.</param>
    /// <param name="transparency">Chunk tRNS, or null.</param>
    public static byte[] Make(int[,,] samples, int depth, int color, bool interlaced, byte[]? palette = null, byte[]? transparency = null)
    {
        var file = new List<byte>(Signature);
        file.AddRange(Chunk("IHDR", Header(samples.GetLength(1), samples.GetLength(0), depth, color, interlaced)));
        file.AddRange(Chunk("tEXt", "Comment\0made for a test"u8.ToArray()));
        if (palette is not null) file.AddRange(Chunk("PLTE", palette));
        if (transparency is not null) file.AddRange(Chunk("tRNS", transparency));
        var compressed = Compress(Rows(samples, depth, interlaced));
        file.AddRange(Chunk("IDAT", compressed[..(compressed.Length / 2)]));
        file.AddRange(Chunk("IDAT", compressed[(compressed.Length / 2)..]));
        file.AddRange(Chunk("IEND", []));
        return [.. file];
    }

    public static byte[] Header(int width, int height, int depth, int color, bool interlaced)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)depth, (byte)color, interlaced ? (byte)1 : (byte)0);
        return header;
    }

    public static byte[] Chunk(string type, byte[] data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        var length = new byte[4];
        var check = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(check, Check(body));
        return [.. length, .. body, .. check];
    }

    public static byte[] Compress(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var stream = new ZLibStream(compressed, CompressionLevel.Optimal)) stream.Write(bytes);
        return compressed.ToArray();
    }

    /// <summary>The check bit by bit, as the standard defines it.</summary>
    private static uint Check(byte[] bytes)
    {
        var state = uint.MaxValue;
        foreach (var value in bytes)
        {
            state ^= value;
            for (var bit = 0; bit < 8; bit++) state = (state >> 1) ^ ((state & 1) * 0xEDB88320u);
        }

        return ~state;
    }

    private static byte[] Rows(int[,,] samples, int depth, bool interlaced)
    {
        var (height, width) = (samples.GetLength(0), samples.GetLength(1));
        // The pass of a pixel by its place in a square of 8 x 8, as drawn in the standard.
        string[] pattern = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"];
        var rows = new List<byte>();
        for (var pass = '1'; pass <= (interlaced ? '7' : '1'); pass++)
        {
            byte[]? above = null;
            for (var y = 0; y < height; y++)
            {
                var columns = Enumerable.Range(0, width).Where(x => !interlaced || pattern[y % 8][x % 8] == pass).ToList();
                if (columns.Count == 0) continue;
                var row = Pack(samples, y, columns, depth);
                rows.Add((byte)(y % 5));
                rows.AddRange(Filter(row, above ?? new byte[row.Length], y % 5, Math.Max(1, samples.GetLength(2) * depth / 8)));
                above = row;
            }
        }

        return [.. rows];
    }

    private static byte[] Pack(int[,,] samples, int y, List<int> columns, int depth)
    {
        var bits = new StringBuilder();
        foreach (var x in columns)
        {
            for (var s = 0; s < samples.GetLength(2); s++) bits.Append(Convert.ToString(samples[y, x, s], 2).PadLeft(depth, '0'));
        }

        while (bits.Length % 8 != 0) bits.Append('0');
        return [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.ToString(8 * i, 8), 2))];
    }

    private static IEnumerable<byte> Filter(byte[] row, byte[] above, int filter, int step) => row.Select((value, i) =>
    {
        int a = i >= step ? row[i - step] : 0, b = above[i], c = i >= step ? above[i - step] : 0, p = a + b - c;
        var nearest = new[] { a, b, c }.MinBy(candidate => Math.Abs(p - candidate));
        return (byte)(value - filter switch { 0 => 0, 1 => a, 2 => b, 3 => (a + b) / 2, _ => nearest });
    });
}
