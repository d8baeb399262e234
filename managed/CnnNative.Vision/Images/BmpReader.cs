using System.Buffers.Binary;

namespace CnnNative.Vision.Images;

/// <summary>
/// Reads Windows bitmaps without compression: 8 bits with a palette, 24 and 32 bits (blue, green, red, and a byte that
/// is ignored), rows from the bottom or from the top.
/// </summary>
internal static class BmpReader
{
    private const int FileHeaderBytes = 14, InfoHeaderBytes = 40, PaletteEntry = 4;
    private const int Uncompressed = 0, BitFields = 3;

    /// <summary>Reads the picture.</summary>
    public static Image Read(string path, ReadOnlySpan<byte> file)
    {
        if (file.Length < FileHeaderBytes + InfoHeaderBytes) throw new CorruptFileException(path, $"ends inside the header, at byte {file.Length}");
        var dataAt = BinaryPrimitives.ReadUInt32LittleEndian(file[10..]);
        var info = file[FileHeaderBytes..];
        var infoBytes = BinaryPrimitives.ReadUInt32LittleEndian(info);
        var width = BinaryPrimitives.ReadInt32LittleEndian(info[4..]);
        long height = BinaryPrimitives.ReadInt32LittleEndian(info[8..]);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(info[14..]);
        var compression = BinaryPrimitives.ReadUInt32LittleEndian(info[16..]);
        if (infoBytes < InfoHeaderBytes || infoBytes > file.Length - FileHeaderBytes)
            throw new CorruptFileException(path, $"the bitmap header has {infoBytes} bytes, expected {InfoHeaderBytes} or more, within the file");
        ImageFile.CheckSize(path, width, Math.Abs(height));
        if (bits is not (8 or 24 or 32)) throw new CorruptFileException(path, $"{bits} bits per pixel, expected 8, 24 or 32");
        if (compression != Uncompressed && !(compression == BitFields && bits == 32 && HasUsualMasks(file)))
            throw new CorruptFileException(path, $"compression {compression} at {bits} bits per pixel; only uncompressed bitmaps in the order blue, green, red are read");

        var rowBytes = ((long)width * bits + 31) / 32 * 4;
        var rows = Math.Abs(height);
        if (dataAt > file.Length || rowBytes * rows > file.Length - dataAt)
            throw new CorruptFileException(path, $"{width} x {rows} pixels of {bits} bits need {rowBytes * rows:N0} bytes from byte {dataAt:N0} on, the file has {file.Length:N0}");
        var palette = bits == 8 ? Palette(path, file, infoBytes) : [];
        var pixels = new byte[3 * width * (int)rows];
        for (var y = 0; y < rows; y++)
        {
            var source = file.Slice((int)(dataAt + y * rowBytes), (int)rowBytes);
            StoreRow(path, source, width, bits / 8, palette, pixels, plane: width * (int)rows, at: (int)(height > 0 ? rows - 1 - y : y) * width);
        }

        return new Image(3, (int)rows, width, pixels);
    }

    /// <summary>Whether the masks of red, green and blue, behind the first 40 bytes of the header, say the usual order.</summary>
    private static bool HasUsualMasks(ReadOnlySpan<byte> file)
    {
        const int masksAt = FileHeaderBytes + InfoHeaderBytes;
        return file.Length >= masksAt + 12
            && BinaryPrimitives.ReadUInt32LittleEndian(file[masksAt..]) == 0x00FF0000
            && BinaryPrimitives.ReadUInt32LittleEndian(file[(masksAt + 4)..]) == 0x0000FF00
            && BinaryPrimitives.ReadUInt32LittleEndian(file[(masksAt + 8)..]) == 0x000000FF;
    }

    private static ReadOnlySpan<byte> Palette(string path, ReadOnlySpan<byte> file, uint infoBytes)
    {
        var stated = BinaryPrimitives.ReadUInt32LittleEndian(file[(FileHeaderBytes + 32)..]);
        var colors = stated == 0 ? 256 : stated;
        var room = file.Length - FileHeaderBytes - infoBytes;
        if (colors > 256 || colors * PaletteEntry > room)
            throw new CorruptFileException(path, $"the palette has {colors} colours, expected at most 256, within the file");
        return file.Slice(FileHeaderBytes + (int)infoBytes, (int)colors * PaletteEntry);
    }

    private static void StoreRow(string path, ReadOnlySpan<byte> row, int width, int step, ReadOnlySpan<byte> palette, byte[] pixels, int plane, int at)
    {
        for (var x = 0; x < width; x++)
        {
            var color = row[(x * step)..];
            if (step == 1)
            {
                var entry = color[0] * PaletteEntry;
                if (entry >= palette.Length) throw new CorruptFileException(path, $"a pixel has index {color[0]}, but the palette has {palette.Length / PaletteEntry} colours");
                color = palette[entry..];
            }

            // The file has blue, green, red; the picture has red, green, blue.
            for (var c = 0; c < 3; c++) pixels[c * plane + at + x] = color[2 - c];
        }
    }
}
