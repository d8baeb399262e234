namespace CnnNative.Vision.Images;

/// <summary>Reads pictures from files: PNG, BMP, PGM and PPM, told apart by their first bytes.</summary>
public static class ImageFile
{
    /// <summary>Most pixels of a picture that is read; a header that states more is refused before memory is taken.</summary>
    public const int MostPixels = 1 << 26;

    /// <summary>Reads a picture. Transparent pixels are shown on white, as on paper.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CorruptFileException">The file is cut, damaged, or of no format that is read.</exception>
    public static Image Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        ReadOnlySpan<byte> content = bytes;
        if (content.StartsWith(PngReader.Signature)) return new PngReader(path, bytes).Read();
        if (content.StartsWith("BM"u8)) return BmpReader.Read(path, bytes);
        if (content.Length >= 2 && content[0] == 'P' && content[1] is (byte)'2' or (byte)'3' or (byte)'5' or (byte)'6') return new PnmReader(path, bytes).Read();
        throw new CorruptFileException(path, $"is not a PNG, BMP, PGM or PPM picture: it begins with [{Convert.ToHexString(content[..Math.Min(8, content.Length)])}]");
    }

    /// <summary>Checks the sizes that a header states.</summary>
    internal static void CheckSize(string path, long width, long height)
    {
        if (width < 1 || height < 1 || width > MostPixels || height > MostPixels || width * height > MostPixels)
            throw new CorruptFileException(path, $"the header states {width} x {height} pixels, expected at least 1 x 1 and at most {MostPixels:N0} in all");
    }
}
