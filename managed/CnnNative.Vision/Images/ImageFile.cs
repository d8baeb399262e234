namespace CnnNative.Vision.Images;

/// <summary>Reads pictures; the format is told by the first bytes, not by the name.</summary>
public static class ImageFile
{
    /// <summary>Largest number of pixels read, so that a few hostile bytes cannot ask for all memory.</summary>
    internal const long MostPixels = 1 << 26;

    /// <summary>Reads a PNG, BMP or binary PGM/PPM file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CorruptFileException">The file is damaged, or of another format.</exception>
    public static Image Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        try
        {
            if (Png.Matches(bytes)) return Png.Decode(bytes);
            if (Bmp.Matches(bytes)) return Bmp.Decode(bytes);
            if (Netpbm.Matches(bytes)) return Netpbm.Decode(bytes);
        }
        catch (InvalidDataException problem)
        {
            throw new CorruptFileException(path, problem.Message, problem);
        }
        catch (Exception problem) when (problem is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new CorruptFileException(path, "the picture ends too early", problem);
        }

        throw new CorruptFileException(path, "not a PNG, BMP, PGM or PPM picture");
    }

    /// <summary>Checks the size that a header states.</summary>
    internal static void RequireSize(long width, long height)
    {
        if (width < 1 || height < 1 || width > MostPixels || height > MostPixels || width * height > MostPixels)
            throw new InvalidDataException($"the header promises {width} x {height} pixels, expected 1 to {MostPixels:N0} in all");
    }

    /// <summary>From pixels one after the other to planes.</summary>
    internal static byte[] ToPlanes(ReadOnlySpan<byte> interleaved, int channels)
    {
        var plane = interleaved.Length / channels;
        var planes = new byte[interleaved.Length];
        for (var i = 0; i < plane; i++)
        {
            for (var c = 0; c < channels; c++) planes[c * plane + i] = interleaved[i * channels + c];
        }

        return planes;
    }
}
