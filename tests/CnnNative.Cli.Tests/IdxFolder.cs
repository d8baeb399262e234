using System.Buffers.Binary;
using System.IO.Compression;

namespace CnnNative.Cli.Tests;

/// <summary>Writes small folders in MNIST's format: digit d is a bright bar at its place, under noise.</summary>
internal static class IdxFolder
{
    public const int Side = 28;

    /// <summary>Writes the four files, gzipped.</summary>
    public static string Write(string folder, int train = 320, int test = 100)
    {
        Directory.CreateDirectory(folder);
        WritePart(folder, "train", train, seed: 1);
        WritePart(folder, "t10k", test, seed: 2);
        return folder;
    }

    /// <summary>One image of a digit.</summary>
    public static byte[] Paint(int digit, Random random)
    {
        var pixels = new byte[Side * Side];
        for (var p = 0; p < pixels.Length; p++)
        {
            var isBar = p % Side is > 3 and < 24 && Math.Abs(p / Side - (4 + 2 * digit)) <= 1;
            pixels[p] = (byte)(isBar ? 200 + random.Next(56) : random.Next(30));
        }

        return pixels;
    }

    /// <summary>Writes a gzipped IDX file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sizes">What its header promises.</param>
    /// <param name="elements">What follows.</param>
    public static void WriteFile(string path, int[] sizes, byte[] elements)
    {
        using var stream = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        Span<byte> word = stackalloc byte[4];
        foreach (var value in (int[])[0x0800 + sizes.Length, .. sizes])
        {
            BinaryPrimitives.WriteInt32BigEndian(word, value);
            stream.Write(word);
        }

        stream.Write(elements);
    }

    private static void WritePart(string folder, string prefix, int count, int seed)
    {
        var random = new Random(seed);
        var labels = Enumerable.Range(0, count).Select(_ => (byte)random.Next(10)).ToArray();
        WriteFile(Path.Combine(folder, $"{prefix}-images-idx3-ubyte.gz"), [count, Side, Side], [.. labels.SelectMany(label => Paint(label, random))]);
        WriteFile(Path.Combine(folder, $"{prefix}-labels-idx1-ubyte.gz"), [count], labels);
    }
}
