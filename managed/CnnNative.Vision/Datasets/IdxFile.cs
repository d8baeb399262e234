namespace CnnNative.Vision.Datasets;

/// <summary>
/// The IDX format of MNIST: a big-endian magic number 0x0000TTDD (type TT, of which 08 is unsigned bytes; DD dimensions),
/// DD sizes of 32 bits, then the elements, the last dimension fastest.
/// </summary>
internal static class IdxFile
{
    private const uint UnsignedBytes = 0x0800;

    /// <summary>Reads unsigned bytes with the given number of dimensions, and nothing else.</summary>
    /// <exception cref="CorruptFileException">The file is anything else, is cut, or goes on after its data.</exception>
    public static (int[] Sizes, byte[] Elements) Read(string path, int dimensions)
    {
        using var file = DataFile.Open(path);
        var magic = file.ReadWord("the magic number");
        var expected = UnsignedBytes + (uint)dimensions;
        if (magic != expected)
            throw file.Corrupt($"magic number 0x{magic:X8}, expected 0x{expected:X8} (IDX, unsigned bytes, {dimensions} dimension{(dimensions == 1 ? "" : "s")})");

        var sizes = new uint[dimensions];
        for (var i = 0; i < dimensions; i++) sizes[i] = file.ReadWord($"size {i} of the header");
        var text = $"{string.Join(" x ", sizes)} elements";
        UInt128 count = 1;
        foreach (var size in sizes) count *= size;
        if (count > (UInt128)Array.MaxLength) throw file.Corrupt($"the header promises {text}, expected at most {Array.MaxLength:N0} in all");
        if (count == 0) throw file.Corrupt($"the header promises {text}, expected at least one");

        var elements = file.ReadBytes((long)count, text);
        file.ExpectEnd();
        return (Array.ConvertAll(sizes, size => (int)size), elements);
    }
}
