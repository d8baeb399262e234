using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace CnnNative.Vision.Images;

/// <summary>PNG (ISO/IEC 15948): every colour type and depth, without interlacing. Transparency is left out.</summary>
internal static class Png
{
    private const int ChunkFrame = 12;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    public static bool Matches(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Signature);

    public static Image Decode(byte[] bytes)
    {
        Header? header = null;
        var palette = Array.Empty<byte>();
        using var compressed = new MemoryStream();
        for (var at = Signature.Length; ;)
        {
            var (type, data) = ReadChunk(bytes, ref at);
            if (type == "IHDR") header = Header.Read(data);
            else if (type == "PLTE") palette = data;
            else if (type == "IDAT") compressed.Write(data);
            else if (type == "IEND") break;
        }

        var known = header ?? throw new InvalidDataException("the picture has no header");
        if (known.ColorType == 3 && palette.Length == 0) throw new InvalidDataException("the picture has no palette");
        compressed.Position = 0;
        return ToImage(known, Unfilter(known, compressed), palette);
    }

    private static (string Type, byte[] Data) ReadChunk(byte[] bytes, ref int at)
    {
        if (bytes.Length - at < ChunkFrame) throw new InvalidDataException("the picture ends too early");
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));
        if (length > bytes.Length - at - ChunkFrame) throw new InvalidDataException($"a chunk promises {length:N0} bytes, the file has {bytes.Length - at - ChunkFrame:N0} more");
        var type = Encoding.ASCII.GetString(bytes, at + 4, 4);
        var data = bytes.AsSpan(at + 8, (int)length).ToArray();
        var stored = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at + 8 + (int)length));
        if (stored != Crc(bytes.AsSpan(at + 4, (int)length + 4))) throw new InvalidDataException($"the checksum of chunk {type} is wrong");
        at += ChunkFrame + (int)length;
        return (type, data);
    }

    /// <summary>Undoes the prediction of each row from its left and upper neighbours.</summary>
    private static byte[] Unfilter(Header header, Stream compressed)
    {
        using var inflated = new ZLibStream(compressed, CompressionMode.Decompress);
        var (stride, step) = (header.Stride, Math.Max(1, header.BitsPerPixel / 8));
        var rows = new byte[checked(stride * header.Height)];
        Span<byte> filter = stackalloc byte[1];
        for (var y = 0; y < header.Height; y++)
        {
            var row = rows.AsSpan(y * stride, stride);
            if (inflated.ReadAtLeast(filter, 1, throwOnEndOfStream: false) < 1 || inflated.ReadAtLeast(row, stride, throwOnEndOfStream: false) < stride)
                throw new InvalidDataException($"the pixels end in row {y} of {header.Height}");
            for (var x = 0; x < stride; x++)
            {
                var left = x >= step ? row[x - step] : 0;
                var up = y > 0 ? rows[(y - 1) * stride + x] : 0;
                var corner = y > 0 && x >= step ? rows[(y - 1) * stride + x - step] : 0;
                row[x] += filter[0] switch
                {
                    0 => 0,
                    1 => (byte)left,
                    2 => (byte)up,
                    3 => (byte)((left + up) / 2),
                    4 => (byte)Paeth(left, up, corner),
                    _ => throw new InvalidDataException($"row {y} has the unknown filter {filter[0]}"),
                };
            }
        }

        return rows;
    }

    private static int Paeth(int left, int up, int corner)
    {
        var guess = left + up - corner;
        var (a, b, c) = (Math.Abs(guess - left), Math.Abs(guess - up), Math.Abs(guess - corner));
        return a <= b && a <= c ? left : b <= c ? up : corner;
    }

    private static Image ToImage(Header header, byte[] rows, byte[] palette)
    {
        var isColor = header.ColorType is 2 or 3 or 6;
        var channels = isColor ? 3 : 1;
        var pixels = new byte[checked(channels * header.Width * header.Height)];
        for (var y = 0; y < header.Height; y++)
        {
            var row = rows.AsSpan(y * header.Stride, header.Stride);
            for (var x = 0; x < header.Width; x++)
            {
                for (var c = 0; c < channels; c++)
                {
                    pixels[(c * header.Height + y) * header.Width + x] = header.ColorType == 3
                        ? palette[3 * Sample(row, x, header.Depth) + c]
                        : Level(row, x * header.Samples + c, header.Depth);
                }
            }
        }

        return new Image(channels, header.Height, header.Width, pixels);
    }

    /// <summary>A sample as 8 bits.</summary>
    private static byte Level(ReadOnlySpan<byte> row, int index, int depth) => depth switch
    {
        16 => row[2 * index],
        8 => row[index],
        _ => (byte)(Sample(row, index, depth) * 255 / ((1 << depth) - 1)),
    };

    /// <summary>A sample of up to 8 bits, packed from the high end.</summary>
    private static int Sample(ReadOnlySpan<byte> row, int index, int depth) =>
        row[index * depth / 8] >> (8 - depth - index * depth % 8) & ((1 << depth) - 1);

    /// <summary>The cyclic redundancy check of chunks, bit by bit.</summary>
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xEDB88320 & (0u - (crc & 1)));
        }

        return ~crc;
    }

    private sealed record Header(int Width, int Height, int Depth, int ColorType)
    {
        public int Samples => ColorType switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };

        public int BitsPerPixel => Samples * Depth;

        public int Stride => checked((int)(((long)Width * BitsPerPixel + 7) / 8));

        public static Header Read(ReadOnlySpan<byte> data)
        {
            if (data.Length != 13) throw new InvalidDataException($"a header of {data.Length} bytes, expected 13");
            var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(data), BinaryPrimitives.ReadUInt32BigEndian(data[4..]));
            ImageFile.RequireSize(width, height);
            var (depth, colorType) = (data[8], data[9]);
            var isKnown = colorType switch
            {
                0 => depth is 1 or 2 or 4 or 8 or 16,
                3 => depth is 1 or 2 or 4 or 8,
                2 or 4 or 6 => depth is 8 or 16,
                _ => false,
            };
            if (!isKnown || data[10] != 0 || data[11] != 0) throw new InvalidDataException($"colour type {colorType} with depth {depth} is not a PNG picture");
            if (data[12] != 0) throw new InvalidDataException("interlaced PNG pictures cannot be read; save it without interlacing");
            return new Header((int)width, (int)height, depth, colorType);
        }
    }
}
