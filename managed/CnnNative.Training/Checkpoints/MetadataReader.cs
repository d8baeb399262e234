using System.Globalization;
using CnnNative.Vision.Transforms;

namespace CnnNative.Training;

/// <summary>Reads typed values out of a file's metadata and names the entry that is missing or makes no sense.</summary>
internal sealed class MetadataReader(string path, IReadOnlyDictionary<string, string> metadata)
{
    public bool Has(string key) => metadata.ContainsKey(key);

    public string Text(string key) =>
        metadata.TryGetValue(key, out var text) ? text : throw new CorruptFileException(path, $"the checkpoint's metadata has no '{key}'");

    public int Int(string key, int least) =>
        Parse<int>(key) is var value && value >= least ? value : throw Wrong(key, $"a whole number from {least}");

    public long Long(string key, long least) =>
        Parse<long>(key) is var value && value >= least ? value : throw Wrong(key, $"a whole number from {least}");

    public ulong ULong(string key) => Parse<ulong>(key);

    public float Float(string key) =>
        Parse<float>(key) is var value && value >= 0 && float.IsFinite(value) ? value : throw Wrong(key, "a number from 0");

    public double Double(string key) =>
        Parse<double>(key) is var value && double.IsFinite(value) ? value : throw Wrong(key, "a number");

    /// <summary>The numbers of the entries key_mean and key_deviation, one per channel.</summary>
    public Normalization Normalization(string key)
    {
        try
        {
            return new Normalization(Floats($"{key}_mean"), Floats($"{key}_deviation"));
        }
        catch (ArgumentException error)
        {
            throw new CorruptFileException(path, $"the checkpoint's metadata: {error.Message}", error);
        }
    }

    public CorruptFileException Wrong(string key, string expected) =>
        new(path, $"the checkpoint's metadata says {key} is '{Text(key)}', expected {expected}");

    private float[] Floats(string key)
    {
        var parts = Text(key).Split(' ');
        var values = new float[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!float.TryParse(parts[i], CultureInfo.InvariantCulture, out values[i])) throw Wrong(key, "numbers");
        }

        return values;
    }

    private T Parse<T>(string key) where T : IParsable<T> =>
        T.TryParse(Text(key), CultureInfo.InvariantCulture, out var value) ? value : throw Wrong(key, "a number");
}
