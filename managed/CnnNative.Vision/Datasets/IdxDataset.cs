using CnnNative.Vision.Transforms;

namespace CnnNative.Vision.Datasets;

/// <summary>What MNIST and the sets that took over its format share: two IDX files per split and ten classes.</summary>
internal static class IdxDataset
{
    public static InMemoryDataset Load(string name, string folder, Split split, IReadOnlyList<string> classNames, Normalization normalization)
    {
        var prefix = split == Split.Train ? "train" : "t10k";
        var title = $"{name} {(split == Split.Train ? "train" : "test")}";
        var imagesPath = DataFolder.Find(folder, $"{title} images", $"{prefix}-images-idx3-ubyte", $"{prefix}-images.idx3-ubyte");
        var labelsPath = DataFolder.Find(folder, $"{title} labels", $"{prefix}-labels-idx1-ubyte", $"{prefix}-labels.idx1-ubyte");

        var (labelSizes, labels) = IdxFile.Read(labelsPath, dimensions: 1);
        var wrong = labels.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)(classNames.Count - 1));
        if (wrong >= 0) throw new CorruptFileException(labelsPath, $"label {labels[wrong]} of image {wrong}, expected 0 to {classNames.Count - 1}");

        var (imageSizes, pixels) = IdxFile.Read(imagesPath, dimensions: 3);
        if (imageSizes[0] != labelSizes[0])
            throw new CorruptFileException(imagesPath, $"{imageSizes[0]:N0} images, but {labelsPath} has {labelSizes[0]:N0} labels");
        return new InMemoryDataset(title, pixels, labels, channels: 1, imageSizes[1], imageSizes[2], classNames, normalization);
    }
}
