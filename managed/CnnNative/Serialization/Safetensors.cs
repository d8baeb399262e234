using System.Buffers.Binary;

namespace CnnNative.Serialization;

/// <summary>
/// The safetensors format: eight bytes with the length of a JSON header (little-endian), the header with name, data type,
/// shape and place of each tensor, then the elements, row-major and little-endian, without gaps. Nothing in it is executed.
/// </summary>
public static class Safetensors
{
    private const int LengthBytes = 8;
    private const int BufferBytes = 4 << 20;

    /// <summary>Writes tensors, in the order given, through a temporary file.</summary>
    /// <param name="path">The file; an existing one is replaced at the end.</param>
    /// <param name="tensors">Tensors by name, on any device; written in NCHW order.</param>
    /// <param name="metadata">Free text by key, or null.</param>
    /// <exception cref="IOException">The file cannot be written; an existing one is then unchanged.</exception>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var header = SafetensorsHeader.ToJson(tensors, metadata ?? new Dictionary<string, string>());
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[LengthBytes];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            var buffer = new byte[BufferBytes];
            foreach (var tensor in tensors.Values) WriteElements(stream, tensor, buffer);
        });
    }

    /// <summary>Reads all tensors of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="device">Where the tensors go; the default device if null.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CorruptFileException">The file is truncated, damaged, or not a safetensors file.</exception>
    /// <exception cref="NotSupportedException">A tensor has a data type that this library does not know.</exception>
    public static SafetensorsFile Read(string path, Device? device = null)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes);
        var header = SafetensorsHeader.Parse(path, ReadHeader(path, stream), out var dataBytes);
        var expected = stream.Position + dataBytes;
        if (stream.Length != expected)
            throw new CorruptFileException(path, $"the file has {stream.Length:N0} bytes, its header promises {expected:N0}");

        using var scope = Scope.Unowned();
        var file = new SafetensorsFile([], header.Metadata);
        try
        {
            var buffer = new byte[BufferBytes];
            foreach (var (name, dtype, shape) in header.Entries)
            {
                var tensor = Tensor.Empty(shape, dtype, device);
                file.Tensors.Add(name, tensor);
                ReadElements(stream, tensor, buffer);
            }

            return file;
        }
        catch (Exception error)
        {
            file.Dispose();
            if (error is EndOfStreamException) throw new CorruptFileException(path, "the file became shorter while it was read", error);
            throw;
        }
    }

    private static byte[] ReadHeader(string path, FileStream stream)
    {
        Span<byte> length = stackalloc byte[LengthBytes];
        if (stream.ReadAtLeast(length, LengthBytes, throwOnEndOfStream: false) < LengthBytes)
            throw new CorruptFileException(path, $"the file has {stream.Length} bytes; a safetensors file begins with {LengthBytes} for the length of its header");
        var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(length);
        if (headerBytes > (ulong)(stream.Length - LengthBytes) || headerBytes > SafetensorsHeader.MostBytes)
            throw new CorruptFileException(path, $"a header of {headerBytes:N0} bytes is promised, the file has {stream.Length:N0}; this is no safetensors file, or it is truncated");
        var header = new byte[headerBytes];
        stream.ReadExactly(header);
        return header;
    }

    private static void WriteElements(Stream stream, Tensor tensor, byte[] buffer)
    {
        using var converted = tensor.ToLayoutOrNull(Layout.Nchw);
        var ordered = converted ?? tensor;
        for (long start = 0; start < ordered.Bytes; start += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, ordered.Bytes - start));
            ordered.ReadBytes(start, part);
            stream.Write(part);
        }
    }

    private static void ReadElements(Stream stream, Tensor tensor, byte[] buffer)
    {
        for (long start = 0; start < tensor.Bytes; start += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.Bytes - start));
            stream.ReadExactly(part);
            tensor.WriteBytes(start, part);
        }
    }
}
