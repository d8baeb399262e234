using CnnNative.Layers;
using CnnNative.Vision;
using CnnNative.Vision.Datasets;
using CnnNative.Vision.Transforms;

namespace CnnNative.Training.Tests;

/// <summary>A problem that a small network learns in seconds: which quarter of an 8 x 8 image is bright, under noise.</summary>
internal static class TinyProblem
{
    public const int Side = 8, BatchSize = 10;
    private static readonly string[] ClassNames = ["top left", "top right", "bottom left", "bottom right"];

    public static InMemoryDataset Data(int count, int seed)
    {
        var random = new Random(seed);
        var pixels = new byte[count * Side * Side];
        var labels = new byte[count];
        for (var i = 0; i < count; i++)
        {
            labels[i] = (byte)random.Next(ClassNames.Length);
            for (var p = 0; p < Side * Side; p++)
            {
                var quarter = p / Side / (Side / 2) * 2 + p % Side / (Side / 2);
                pixels[i * Side * Side + p] = (byte)(random.Next(180) + (quarter == labels[i] ? 60 : 0));
            }
        }

        return new InMemoryDataset("quarters", pixels, labels, 1, Side, Side, ClassNames, new Normalization([0.35f], [0.2f]));
    }

    /// <summary>A network with everything that has state or draws random numbers.</summary>
    public static Sequential Network(Device device, int channels = 4) => new(
        new Conv2d(1, channels, 3, padding: 1, device: device), new BatchNorm2d(channels, device: device), new ReLU(), new MaxPool2d(2),
        new Dropout2d(0.1f), new Flatten(), new Linear(channels * 16, 16, device: device), new ReLU(), new Dropout(0.2f), new Linear(16, 4, device: device));

    /// <summary>65 images to learn from, so that an epoch has six batches of ten and one of five; 40 to judge by.</summary>
    public static (DataLoader Train, DataLoader Test) Loaders(Device device, int batchSize = BatchSize, ulong seed = 7) => (
        new DataLoader(Data(65, seed: 1), batchSize, device, shuffle: true, seed: seed),
        new DataLoader(Data(40, seed: 2), 16, device));
}
