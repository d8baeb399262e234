using System.Buffers.Binary;
using System.IO.Compression;
using CnnNative.Serialization;

namespace CnnNative.Vision.Images;

/// <summary>Writes PNG, 8 bits per sample, grey or in colours.</summary>
public static class PngWriter
{
    /// <summary>Writes a picture to a file, which is complete or not there at all.</summary>
    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="image">The picture.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Image image) => AtomicFile.Write(path, stream => Write(stream, image));

    /// <summary>Writes a picture to a stream.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="image">The picture.</param>
    public static void Write(Stream stream, Image image)
    {
        stream.Write(PngReader.Signature);
        Span<byte> header = stackalloc byte[13];
        header.Clear();
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], image.Height);
        header[8] = 8;
        header[9] = (byte)(image.Channels == 1 ? PngColor.Grey : PngColor.Rgb);
        WriteChunk(stream, "IHDR"u8, header);
        WriteChunk(stream, "IDAT"u8, Compress(image));
        WriteChunk(stream, "IEND"u8, []);
    }

    /// <summary>The rows with their samples side by side, each after a byte 0 for "no filter".</summary>
    private static byte[] Compress(Image image)
    {
        using var compressed = new MemoryStream();
        using (var stream = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var plane = image.Width * image.Height;
            var row = new byte[1 + image.Width * image.Channels];
            for (var y = 0; y < image.Height; y++)
            {
                for (var i = 0; i < row.Length - 1; i++)
                    row[1 + i] = image.Pixels[i % image.Channels * plane + y * image.Width + i / image.Channels];
                stream.Write(row);
            }
        }

        return compressed.ToArray();
    }

    private static void WriteChunk(Stream stream, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        stream.Write(word);
        stream.Write(type);
        stream.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(word, Crc32.Of(type, data));
        stream.Write(word);
    }
}
