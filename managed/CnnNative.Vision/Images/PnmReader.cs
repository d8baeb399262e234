using System.Buffers.Binary;

namespace CnnNative.Vision.Images;

/// <summary>Reads the first picture of a PGM (P2 in text, P5 in binary) or PPM (P3, P6) file, with up to 16 bits per sample.</summary>
internal sealed class PnmReader(string path, byte[] file)
{
    private const int MagicBytes = 2, MostDigits = 9;
    private int at = MagicBytes;

    /// <summary>Reads the picture.</summary>
    public Image Read()
    {
        var kind = (char)file[1];
        var channels = kind is '2' or '5' ? 1 : 3;
        var width = ReadNumber("width");
        var height = ReadNumber("height");
        var maximum = ReadNumber("maximum");
        ImageFile.CheckSize(path, width, height);
        if (maximum is < 1 or > ushort.MaxValue) throw Corrupt($"the largest sample is stated as {maximum}, expected 1 to {ushort.MaxValue}");
        var isText = kind is '2' or '3';
        var sampleBytes = maximum > byte.MaxValue ? 2 : 1;
        // In text a sample takes a digit and, but for the last, a blank.
        var needed = (long)channels * width * height * (isText ? 2 : sampleBytes) - (isText ? 1 : 0);
        if (!isText) SkipOneBlank();
        if (needed > file.Length - at) throw Corrupt($"{width} x {height} pixels need at least {needed:N0} bytes, but only {file.Length - at:N0} follow the header");

        var pixels = new byte[channels * width * height];
        for (var i = 0; i < width * height; i++)
        {
            for (var c = 0; c < channels; c++)
            {
                var sample = isText ? ReadNumber("sample") : ReadSample(sampleBytes);
                if (sample > maximum) throw Corrupt($"a sample is {sample}, expected at most {maximum}");
                pixels[c * width * height + i] = (byte)((sample * 255L + maximum / 2) / maximum);
            }
        }

        return new Image(channels, height, width, pixels);
    }

    private int ReadSample(int bytes)
    {
        var sample = bytes == 1 ? file[at] : BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at));
        at += bytes;
        return sample;
    }

    private void SkipOneBlank()
    {
        if (at == file.Length || !IsBlank(file[at])) throw Corrupt($"byte {at} should be the blank between header and pixels");
        at++;
    }

    /// <summary>A decimal number after blanks and comments, which run from "#" to the end of the line.</summary>
    private int ReadNumber(string meaning)
    {
        while (at < file.Length && (IsBlank(file[at]) || file[at] == '#'))
        {
            if (file[at++] != '#') continue;
            while (at < file.Length && file[at] != '\n') at++;
        }

        var first = at;
        var value = 0;
        while (at < file.Length && at - first < MostDigits && char.IsAsciiDigit((char)file[at])) value = value * 10 + (file[at++] - '0');
        if (at == first) throw Corrupt(at == file.Length ? $"ends before its {meaning}" : $"byte {at} should begin the {meaning}, a number, but is 0x{file[at]:X2}");
        return value;
    }

    private static bool IsBlank(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\v' or (byte)'\f';

    private CorruptFileException Corrupt(string problem) => new(path, problem);
}
