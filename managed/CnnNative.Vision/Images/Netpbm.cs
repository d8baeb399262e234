namespace CnnNative.Vision.Images;

/// <summary>Binary PGM (grey, "P5") and PPM (colour, "P6") with up to 255 levels.</summary>
internal static class Netpbm
{
    public static bool Matches(ReadOnlySpan<byte> bytes) => bytes.StartsWith("P5"u8) || bytes.StartsWith("P6"u8);

    public static Image Decode(ReadOnlySpan<byte> bytes)
    {
        var channels = bytes[1] == '5' ? 1 : 3;
        var at = 2;
        var width = ReadNumber(bytes, ref at);
        var height = ReadNumber(bytes, ref at);
        var levels = ReadNumber(bytes, ref at);
        ImageFile.RequireSize(width, height);
        if (levels is < 1 or > 255) throw new InvalidDataException($"the header says {levels} levels, expected 1 to 255");
        at++;
        var pixels = bytes.Slice(at, checked(width * height * channels)).ToArray();
        if (levels != 255)
        {
            for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)Math.Min(255, pixels[i] * 255 / levels);
        }

        return new Image(channels, height, width, ImageFile.ToPlanes(pixels, channels));
    }

    /// <summary>The next number of the header, after blanks and comments.</summary>
    private static int ReadNumber(ReadOnlySpan<byte> bytes, ref int at)
    {
        while (char.IsWhiteSpace((char)bytes[at]) || bytes[at] == '#')
        {
            if (bytes[at] != '#') at++;
            else while (bytes[at] != '\n') at++;
        }

        var start = at;
        long value = 0;
        while (char.IsAsciiDigit((char)bytes[at])) value = Math.Min(int.MaxValue, value * 10 + bytes[at++] - '0');
        return at > start ? (int)value : throw new InvalidDataException("the header has something else where a number is expected");
    }
}
