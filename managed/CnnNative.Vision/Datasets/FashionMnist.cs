using CnnNative.Vision.Transforms;

namespace CnnNative.Vision.Datasets;

/// <summary>Articles of clothing, 28 x 28 grey, in the format and sizes of <see cref="Mnist"/> (Xiao, Rasul and Vollgraf, 2017).</summary>
public static class FashionMnist
{
    /// <summary>The ten kinds of article.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Mean and deviation of the training images.</summary>
    public static Normalization Normalization { get; } = new([0.28604f], [0.35302f]);

    /// <summary>Reads one part from the two IDX files of that part, which have the same names as those of MNIST.</summary>
    /// <param name="folder">Where the files are.</param>
    /// <param name="split">Which part.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">A file is missing; the message says which names were looked for.</exception>
    /// <exception cref="CorruptFileException">A file is cut, damaged or of another format, or the two do not fit.</exception>
    public static InMemoryDataset Load(string folder, Split split) => IdxDataset.Load("Fashion-MNIST", folder, split, ClassNames, Normalization);
}
