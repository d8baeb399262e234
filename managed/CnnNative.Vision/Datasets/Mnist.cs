using CnnNative.Vision.Transforms;

namespace CnnNative.Vision.Datasets;

/// <summary>Handwritten digits, 28 x 28 grey, white on black: 60,000 to train and 10,000 to test (LeCun, Cortes and Burges, 1998).</summary>
public static class Mnist
{
    /// <summary>The classes, "0" to "9".</summary>
    public static IReadOnlyList<string> ClassNames { get; } = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    /// <summary>Mean and deviation of the training images.</summary>
    public static Normalization Normalization { get; } = new([0.13066f], [0.30811f]);

    /// <summary>Reads one part from the two IDX files of that part, such as train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or gzipped.</summary>
    /// <param name="folder">Where the files are.</param>
    /// <param name="split">Which part.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">A file is missing; the message says which names were looked for.</exception>
    /// <exception cref="CorruptFileException">A file is cut, damaged or of another format, or the two do not fit.</exception>
    public static InMemoryDataset Load(string folder, Split split) => IdxDataset.Load("MNIST", folder, split, ClassNames, Normalization);
}
