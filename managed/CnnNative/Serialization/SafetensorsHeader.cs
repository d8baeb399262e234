using System.Buffers;
using System.Text.Json;

namespace CnnNative.Serialization;

/// <summary>The JSON header of a safetensors file, read with suspicion: nothing in it is believed before it adds up.</summary>
internal sealed record SafetensorsHeader(
    IReadOnlyList<(string Name, DType DType, Shape Shape)> Entries, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Longest header read, as in the reference implementation.</summary>
    public const ulong MostBytes = 100_000_000;

    private const string MetadataKey = "__metadata__";

    private static readonly (string Name, DType DType)[] Names =
    [
        ("F32", DType.Float32), ("F16", DType.Float16), ("BF16", DType.BFloat16), ("I64", DType.Int64), ("I32", DType.Int32), ("U8", DType.UInt8),
    ];

    /// <summary>The header for tensors written one behind the other, padded with spaces to a multiple of eight bytes.</summary>
    public static byte[] ToJson(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }

            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                if (name == MetadataKey) throw new ArgumentException($"Safetensors: a tensor cannot be named {MetadataKey}");
                json.WriteStartObject(name);
                json.WriteString("dtype", Array.Find(Names, entry => entry.DType == tensor.DType).Name);
                json.WriteStartArray("shape");
                foreach (var size in tensor.Shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        var padding = -buffer.WrittenCount & 7;
        buffer.GetSpan(8)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a header; the tensors come back in the order of their bytes, which must follow each other without gap or overlap.</summary>
    public static SafetensorsHeader Parse(string path, byte[] json, out long dataBytes)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw Corrupt(path, "is not a JSON object");
            var metadata = new Dictionary<string, string>();
            var found = new List<(string Name, DType DType, Shape Shape, long Begin, long End)>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name == MetadataKey) ReadMetadata(path, property.Value, metadata);
                else found.Add(ReadEntry(path, property));
            }

            found.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
            dataBytes = CheckPlaces(path, found);
            return new SafetensorsHeader([.. found.Select(entry => (entry.Name, entry.DType, entry.Shape))], metadata);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new CorruptFileException(path, $"the header is not valid: {error.Message}", error);
        }
    }

    private static void ReadMetadata(string path, JsonElement element, Dictionary<string, string> metadata)
    {
        foreach (var entry in element.EnumerateObject())
        {
            var text = entry.Value.GetString() ?? throw Corrupt(path, $"has null for the metadata '{entry.Name}'");
            if (!metadata.TryAdd(entry.Name, text)) throw Corrupt(path, $"has the metadata '{entry.Name}' twice");
        }
    }

    private static (string Name, DType DType, Shape Shape, long Begin, long End) ReadEntry(string path, JsonProperty property)
    {
        var name = property.Name;
        var typeName = property.Value.GetProperty("dtype").GetString();
        var type = Array.FindIndex(Names, entry => entry.Name == typeName);
        if (type < 0) throw new NotSupportedException($"{path}: tensor '{name}' has data type {typeName}; known are {string.Join(", ", Names.Select(entry => entry.Name))}");
        Shape shape;
        try
        {
            shape = new Shape([.. property.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())]);
        }
        catch (ShapeException error)
        {
            throw new CorruptFileException(path, $"tensor '{name}': {error.Message}", error);
        }

        var offsets = property.Value.GetProperty("data_offsets");
        if (offsets.GetArrayLength() != 2) throw Corrupt(path, $"gives tensor '{name}' {offsets.GetArrayLength()} offsets instead of 2");
        var (begin, end) = (offsets[0].GetInt64(), offsets[1].GetInt64());
        var elementBytes = Names[type].DType.Size();
        if (begin < 0 || end < begin || shape.Count > long.MaxValue / elementBytes || end - begin != shape.Count * elementBytes)
            throw Corrupt(path, $"places tensor '{name}' of shape {shape} {typeName} at bytes {begin} to {end}");
        return (name, Names[type].DType, shape, begin, end);
    }

    private static long CheckPlaces(string path, List<(string Name, DType DType, Shape Shape, long Begin, long End)> entries)
    {
        long expected = 0;
        var names = new HashSet<string>();
        foreach (var entry in entries)
        {
            if (!names.Add(entry.Name)) throw Corrupt(path, $"has tensor '{entry.Name}' twice");
            if (entry.Begin != expected) throw Corrupt(path, $"places tensor '{entry.Name}' at byte {entry.Begin}, expected {expected}: there is a gap or an overlap");
            expected = entry.End;
        }

        return expected;
    }

    private static CorruptFileException Corrupt(string path, string problem) => new(path, $"the header {problem}");
}
