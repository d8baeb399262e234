using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using NUnit.Framework;

namespace CnnNative.TestKit;

/// <summary>Reads the golden files that tests/golden/generate.py writes: NAME.json lists cases, NAME.safetensors holds their tensors.</summary>
public static class Golden
{
    /// <summary>The cases of a family, for a test-case source; each shows as its name.</summary>
    public static IEnumerable<TestCaseData> Cases(string family) =>
        Read(family).Select(golden => new TestCaseData(golden).SetArgDisplayNames(golden.Name));

    /// <summary>The cases of a family.</summary>
    public static IReadOnlyList<GoldenCase> Read(string family)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "golden");
        using var index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, family + ".json")));
        var bytes = File.ReadAllBytes(Path.Combine(folder, family + ".safetensors"));
        var tensors = ReadTensors(bytes).ToLookup(entry => entry.Name.Split('/')[0], entry => entry);
        return [.. index.RootElement.EnumerateArray().Select(entry => Case(entry, tensors))];
    }

    private static GoldenCase Case(JsonElement entry, ILookup<string, (string Name, GoldenTensor Tensor)> tensors)
    {
        var name = entry.GetProperty("name").GetString()!;
        var attributes = entry.TryGetProperty("attributes", out var found) ? found.Clone() : default;
        return new GoldenCase(name, attributes, tensors[name].ToDictionary(pair => pair.Name[(name.Length + 1)..], pair => pair.Tensor));
    }

    private static IEnumerable<(string Name, GoldenTensor Tensor)> ReadTensors(byte[] bytes)
    {
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, length));
        foreach (var entry in header.RootElement.EnumerateObject())
        {
            var shape = entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()).ToArray();
            var range = entry.Value.GetProperty("data_offsets").EnumerateArray().Select(end => end.GetInt32()).ToArray();
            var data = bytes.AsSpan(8 + length)[range[0]..range[1]];
            double[] values = entry.Value.GetProperty("dtype").GetString() switch
            {
                "F32" => Array.ConvertAll(MemoryMarshal.Cast<byte, float>(data).ToArray(), value => (double)value),
                "F64" => MemoryMarshal.Cast<byte, double>(data).ToArray(),
                "I64" => Array.ConvertAll(MemoryMarshal.Cast<byte, long>(data).ToArray(), value => (double)value),
                var other => throw new InvalidDataException($"{entry.Name}: unknown data type {other}"),
            };
            yield return (entry.Name, new GoldenTensor(new Shape(shape), values));
        }
    }
}

/// <summary>Shape and elements, in row-major order; float32 and integers are exact in double.</summary>
public sealed record GoldenTensor(Shape Shape, double[] Values)
{
    /// <summary>The elements as float32: exact for inputs.</summary>
    public float[] Floats => Array.ConvertAll(Values, value => (float)value);

    /// <summary>The elements as integers.</summary>
    public long[] Longs => Array.ConvertAll(Values, value => (long)value);
}

/// <summary>One row of a golden table.</summary>
public sealed class GoldenCase(string name, JsonElement attributes, IReadOnlyDictionary<string, GoldenTensor> tensors)
{
    public string Name { get; } = name;

    /// <summary>The names of the tensors.</summary>
    public IEnumerable<string> Names => tensors.Keys;

    /// <summary>A tensor that the case must have.</summary>
    public GoldenTensor this[string tensor] => tensors[tensor];

    /// <summary>Whether the case has a tensor.</summary>
    public bool Has(string tensor) => tensors.ContainsKey(tensor);

    /// <summary>Whether the case has an attribute.</summary>
    public bool HasAttribute(string attribute) => attributes.TryGetProperty(attribute, out _);

    public double DoubleOr(string attribute, double otherwise) => HasAttribute(attribute) ? Double(attribute) : otherwise;

    public int Int(string attribute) => attributes.GetProperty(attribute).GetInt32();

    public float Float(string attribute, float otherwise = float.NaN) =>
        attributes.TryGetProperty(attribute, out var value) ? value.GetSingle() : otherwise;

    public double Double(string attribute) => attributes.GetProperty(attribute).GetDouble();

    /// <summary>A number, or null where the script wrote None.</summary>
    public float? FloatOrNull(string attribute) =>
        attributes.GetProperty(attribute) is { ValueKind: JsonValueKind.Number } value ? value.GetSingle() : null;

    public bool Bool(string attribute, bool otherwise = false) =>
        attributes.TryGetProperty(attribute, out var value) ? value.GetBoolean() : otherwise;

    public string Text(string attribute) => attributes.GetProperty(attribute).GetString()!;

    public int[] Ints(string attribute) => [.. attributes.GetProperty(attribute).EnumerateArray().Select(value => value.GetInt32())];

    public (int Height, int Width) Pair(string attribute) => Ints(attribute) is [var height, var width] ? (height, width) : throw new InvalidDataException(attribute);

    public float[] Floats(string attribute) => [.. attributes.GetProperty(attribute).EnumerateArray().Select(value => value.GetSingle())];

    /// <summary>A tensor of the case on a device, as float32, or as Int64 where that is asked for.</summary>
    public Tensor Tensor(string tensor, Device device, Layout layout = Layout.Nchw, bool requiresGrad = false)
    {
        using var made = CnnNative.Tensor.From(this[tensor].Floats, this[tensor].Shape, device);
        var ordered = made.Rank == 4 ? made.ToLayout(layout) : made.Detach();
        ordered.RequiresGrad = requiresGrad;
        return ordered;
    }

    public override string ToString() => Name;
}
