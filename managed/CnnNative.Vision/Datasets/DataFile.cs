using System.Buffers.Binary;
using System.IO.Compression;

namespace CnnNative.Vision.Datasets;

/// <summary>
/// Reads a binary file, gzipped or plain (told apart by the first two bytes, not by the name), and trusts no length
/// that the file states: memory grows only with bytes that are really there.
/// </summary>
internal sealed class DataFile : IDisposable
{
    private const int FirstGrowth = 1 << 20;
    private readonly FileStream file;
    private readonly Stream content;
    private long position;

    private DataFile(string path)
    {
        Path = path;
        file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.SequentialScan);
        try
        {
            IsCompressed = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
            file.Position = 0;
            content = IsCompressed ? new GZipStream(file, CompressionMode.Decompress) : file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public string Path { get; }

    public bool IsCompressed { get; }

    public static DataFile Open(string path) => new(path);

    public void Dispose()
    {
        content.Dispose();
        file.Dispose();
    }

    public CorruptFileException Corrupt(string problem, Exception? inner = null) => new(Path, problem, inner);

    /// <summary>A big-endian 32-bit number.</summary>
    public uint ReadWord(string meaning)
    {
        Span<byte> word = stackalloc byte[sizeof(uint)];
        var read = Fill(word);
        if (read < word.Length) throw Corrupt($"ends inside {meaning}, at byte {position}");
        return BinaryPrimitives.ReadUInt32BigEndian(word);
    }

    /// <summary>Exactly <paramref name="count"/> bytes.</summary>
    /// <param name="count">How many a header promised.</param>
    /// <param name="meaning">What they are, with the figures of the header, for messages.</param>
    public byte[] ReadBytes(long count, string meaning)
    {
        if (count > Array.MaxLength) throw Corrupt($"promises {count:N0} bytes of {meaning}, expected at most {Array.MaxLength:N0}");
        if (!IsCompressed && count > file.Length - position)
            throw Corrupt($"promises {count:N0} bytes of {meaning}, but holds only {file.Length - position:N0}");

        var bytes = new byte[IsCompressed ? Math.Min(count, FirstGrowth) : count];
        for (var filled = 0; ;)
        {
            var read = Fill(bytes.AsSpan(filled));
            filled += read;
            if (filled == count) return bytes;
            if (filled < bytes.Length) throw Corrupt($"promises {count:N0} bytes of {meaning}, but holds only {filled:N0}");
            Array.Resize(ref bytes, (int)Math.Min(count, 2L * bytes.Length));
        }
    }

    /// <summary>All bytes from here to the end, which must come in whole records.</summary>
    public byte[] ReadRecords(int recordBytes)
    {
        var bytes = new byte[IsCompressed ? FirstGrowth : Math.Min(file.Length - position, Array.MaxLength)];
        var filled = Fill(bytes);
        while (IsCompressed && filled == bytes.Length)
        {
            if (filled == Array.MaxLength) throw Corrupt($"holds more than {Array.MaxLength:N0} bytes");
            Array.Resize(ref bytes, (int)Math.Min(Array.MaxLength, 2L * filled));
            filled += Fill(bytes.AsSpan(filled));
        }

        ExpectEnd();
        if (filled == 0 || filled % recordBytes != 0)
            throw Corrupt($"holds {filled:N0} bytes, expected a positive multiple of the record of {recordBytes:N0}");
        Array.Resize(ref bytes, filled);
        return bytes;
    }

    /// <summary>Checks that nothing follows, and that a gzip stream is complete.</summary>
    public void ExpectEnd()
    {
        Span<byte> extra = stackalloc byte[1];
        if (Fill(extra) != 0) throw Corrupt($"goes on after byte {position - 1:N0}, where its data should end");
        if (!IsCompressed) return;

        // The decoder takes a cut stream for a finished one. A complete one closes with its length modulo 2^32 (RFC 1952).
        Span<byte> trailer = stackalloc byte[sizeof(uint)];
        file.Seek(-trailer.Length, SeekOrigin.End);
        file.ReadExactly(trailer);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        if (length != (uint)position) throw Corrupt($"the gzip trailer says {length:N0} bytes, but {position:N0} came out; the file is cut or has something appended");
    }

    /// <summary>Reads until the span is full or the content ends.</summary>
    private int Fill(Span<byte> target)
    {
        try
        {
            var read = content.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
            position += read;
            return read;
        }
        catch (InvalidDataException problem)
        {
            throw Corrupt($"the gzip data is damaged after {position:N0} bytes", problem);
        }
    }
}
