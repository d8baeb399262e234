using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Text;

namespace CnnNative.Vision.Images;

/// <summary>Reads PNG (ISO/IEC 15948): every colour type, bit depth and interlacing; every chunk's check is verified.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The stream is over managed memory.")]
internal sealed class PngReader(string path, byte[] file)
{
    private const int LengthBytes = 4, TypeBytes = 4, CheckBytes = 4, PaletteEntry = 3;

    /// <summary>Deflate codes a byte in no less than this fraction of one (258 bytes in two bits); a picture that needs a better rate is not there.</summary>
    private const int BestDeflateRate = 1032;

    private readonly MemoryStream compressed = new();
    private PngHeader? header;
    private byte[]? palette, transparency;

    /// <summary>What a PNG file begins with.</summary>
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Reads the picture.</summary>
    public Image Read()
    {
        ReadChunks();
        var facts = header ?? throw Corrupt("has no header (chunk IHDR)");
        if (facts.Color == PngColor.Palette && palette is null) throw Corrupt("has no palette (chunk PLTE), but its pixels are indices");
        return new PngPixels(path, facts, palette, transparency).Decode(Inflate(facts));
    }

    private void ReadChunks()
    {
        var at = Signature.Length;
        while (true)
        {
            if (file.Length - at < LengthBytes + TypeBytes + CheckBytes) throw Corrupt($"ends at byte {file.Length:N0}, before its last chunk (IEND)");
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            var type = file.AsSpan(at + LengthBytes, TypeBytes);
            var name = Encoding.Latin1.GetString(type);
            var room = file.Length - at - LengthBytes - TypeBytes - CheckBytes;
            if (length > room) throw Corrupt($"chunk {name} at byte {at:N0} promises {length:N0} bytes, but only {room:N0} follow");
            var data = file.AsSpan(at + LengthBytes + TypeBytes, (int)length);
            at += LengthBytes + TypeBytes + (int)length;
            var stated = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            var computed = Crc32.Of(type, data);
            if (stated != computed) throw Corrupt($"chunk {name} is damaged: its check is 0x{stated:X8}, its content gives 0x{computed:X8}");
            at += CheckBytes;
            if (name == "IEND") return;
            Accept(name, type[0], data);
        }
    }

    private void Accept(string name, byte firstLetter, ReadOnlySpan<byte> data)
    {
        if (header is null && name != "IHDR") throw Corrupt($"begins with chunk {name}, expected IHDR");
        switch (name)
        {
            case "IHDR":
                if (header is not null) throw Corrupt("has two headers (chunk IHDR)");
                header = PngHeader.Read(path, data);
                break;
            case "PLTE":
                if (data.Length == 0 || data.Length % PaletteEntry != 0 || data.Length > 256 * PaletteEntry)
                    throw Corrupt($"the palette has {data.Length} bytes, expected 3 to 768 in threes");
                palette = data.ToArray();
                break;
            case "tRNS":
                transparency = data.ToArray();
                break;
            case "IDAT":
                compressed.Write(data);
                break;
            default:
                // A capital first letter says that the picture cannot be shown without understanding the chunk.
                if (firstLetter is >= (byte)'A' and <= (byte)'Z') throw Corrupt($"chunk {name} is critical and not known");
                break;
        }
    }

    /// <summary>The rows of all passes, each with its filter byte in front.</summary>
    private byte[] Inflate(in PngHeader facts)
    {
        long expected = 0;
        foreach (var pass in PngPass.Of(facts)) expected += (long)pass.Height * (1 + facts.RowBytes(pass.Width));
        if (expected > compressed.Length * BestDeflateRate || expected > Array.MaxLength)
            throw Corrupt($"{facts.Width} x {facts.Height} pixels need {expected:N0} bytes, more than {compressed.Length:N0} compressed bytes can hold");

        var rows = new byte[expected];
        compressed.Position = 0;
        try
        {
            using var stream = new ZLibStream(compressed, CompressionMode.Decompress);
            var read = stream.ReadAtLeast(rows, rows.Length, throwOnEndOfStream: false);
            if (read < rows.Length) throw Corrupt($"the pixels end after {read:N0} bytes, {facts.Width} x {facts.Height} pixels need {expected:N0}");
            if (stream.ReadByte() >= 0) throw Corrupt($"the pixels go on after {expected:N0} bytes, all that {facts.Width} x {facts.Height} pixels need");
        }
        catch (InvalidDataException problem)
        {
            throw new CorruptFileException(path, "the compressed pixels are damaged", problem);
        }

        return rows;
    }

    private CorruptFileException Corrupt(string problem) => new(path, problem);
}
