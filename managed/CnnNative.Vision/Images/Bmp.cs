using System.Buffers.Binary;

namespace CnnNative.Vision.Images;

/// <summary>Uncompressed BMP with 8 bits (palette), 24 or 32 bits per pixel.</summary>
internal static class Bmp
{
    private const int FileHeader = 14, InfoHeader = 40, BitFields = 3;

    public static bool Matches(ReadOnlySpan<byte> bytes) => bytes.StartsWith("BM"u8);

    public static Image Decode(ReadOnlySpan<byte> bytes)
    {
        var dataStart = Word(bytes, 10);
        var headerBytes = Word(bytes, FileHeader);
        if (headerBytes < InfoHeader) throw new InvalidDataException($"a header of {headerBytes} bytes, expected at least {InfoHeader}");
        var (width, height) = (Word(bytes, 18), (long)Word(bytes, 22));
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(bytes[28..]);
        var compression = Word(bytes, 30);
        ImageFile.RequireSize(width, Math.Abs(height));
        if (bits is not (8 or 24 or 32) || (compression != 0 && !(compression == BitFields && bits == 32)))
            throw new InvalidDataException($"{bits} bits per pixel with compression {compression}, expected 8, 24 or 32 without");

        var rows = (int)Math.Abs(height);
        var stride = checked((width * bits / 8 + 3) / 4 * 4);
        var palette = bits == 8 ? bytes.Slice(FileHeader + headerBytes, dataStart - FileHeader - headerBytes) : default;
        var pixels = new byte[checked(3 * width * rows)];
        for (var y = 0; y < rows; y++)
        {
            // Rows stand upside down unless the height is negative.
            var line = bytes.Slice(dataStart + (height > 0 ? rows - 1 - y : y) * stride, stride);
            for (var x = 0; x < width; x++)
            {
                var color = bits == 8 ? palette.Slice(4 * line[x], 3) : line.Slice(x * bits / 8, 3);
                for (var c = 0; c < 3; c++) pixels[(c * rows + y) * width + x] = color[2 - c];
            }
        }

        return new Image(3, rows, width, pixels);
    }

    private static int Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
}
