using CnnNative.Vision.Transforms;

namespace CnnNative.Vision.Datasets;

/// <summary>
/// Photographs, 32 x 32 in colour, of ten classes: 50,000 to train and 10,000 to test (Krizhevsky, 2009). The binary
/// layout: records of 3,073 bytes, the label and then the red, the green and the blue plane.
/// </summary>
public static class Cifar10
{
    private const int Channels = 3, Side = 32, ImageBytes = Channels * Side * Side, RecordBytes = 1 + ImageBytes, TrainFiles = 5;

    /// <summary>The ten classes.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Mean and deviation of the 50,000 training images, as published with most recipes.</summary>
    public static Normalization Normalization { get; } = new([0.4914f, 0.4822f, 0.4465f], [0.2470f, 0.2435f, 0.2616f]);

    /// <summary>Reads one part from data_batch_1.bin to data_batch_5.bin or from test_batch.bin, plain or gzipped.</summary>
    /// <param name="folder">Where the files are.</param>
    /// <param name="split">Which part.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">A file is missing; the message says which names were looked for.</exception>
    /// <exception cref="CorruptFileException">A file is cut or damaged, or holds a label that names no class.</exception>
    public static InMemoryDataset Load(string folder, Split split)
    {
        if (split == Split.Test) return LoadFiles("CIFAR-10 test", DataFolder.Find(folder, "CIFAR-10 test images", "test_batch.bin"));
        var paths = Enumerable.Range(1, TrainFiles).Select(i => DataFolder.Find(folder, "CIFAR-10 train images", $"data_batch_{i}.bin"));
        return LoadFiles("CIFAR-10 train", [.. paths]);
    }

    /// <summary>Reads the records of the given files, one file after the other.</summary>
    /// <param name="name">Name of the data set, for messages and reports.</param>
    /// <param name="paths">The files, plain or gzipped.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="CorruptFileException">A file is cut or damaged, or holds a label that names no class.</exception>
    public static InMemoryDataset LoadFiles(string name, params ReadOnlySpan<string> paths)
    {
        var files = new byte[paths.Length][];
        for (var i = 0; i < paths.Length; i++) files[i] = ReadFile(paths[i]);
        var count = files.Sum(file => (long)file.Length / RecordBytes);
        if (count * ImageBytes > Array.MaxLength)
            throw new ArgumentException($"{name}: {count:N0} images, expected at most {Array.MaxLength / ImageBytes:N0}");

        var labels = new byte[count];
        var pixels = new byte[count * ImageBytes];
        var image = 0;
        foreach (var file in files)
        {
            for (var at = 0; at < file.Length; at += RecordBytes, image++)
            {
                labels[image] = file[at];
                file.AsSpan(at + 1, ImageBytes).CopyTo(pixels.AsSpan(image * ImageBytes));
            }
        }

        return new InMemoryDataset(name, pixels, labels, Channels, Side, Side, ClassNames, Normalization);
    }

    private static byte[] ReadFile(string path)
    {
        using var file = DataFile.Open(path);
        var records = file.ReadRecords(RecordBytes);
        for (var at = 0; at < records.Length; at += RecordBytes)
        {
            if (records[at] >= ClassNames.Count)
                throw file.Corrupt($"label {records[at]} of image {at / RecordBytes}, expected 0 to {ClassNames.Count - 1}");
        }

        return records;
    }
}
