using CnnNative.Layers;

namespace CnnNative.Vision.Models;

/// <summary>
/// A small network for small photographs: three blocks of convolution, pooling, ReLU and dropped channels, and a head of
/// two dense layers. 156,074 parameters for (3, 32, 32) and ten classes. The chain is the child "model", so that state
/// dictionaries have keys such as "model.0.weight".
/// </summary>
public sealed class MyCnn : Sequential
{
    /// <summary>Three halvings must leave a pixel.</summary>
    private const int SmallestSide = 8;

    /// <summary>Creates the model with PyTorch's initial weights.</summary>
    /// <param name="image">Shape of one image: (C, H, W).</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    /// <exception cref="ShapeException">The image is smaller than 8 x 8, or not (C, H, W).</exception>
    /// <exception cref="ArgumentException">There is no class.</exception>
    public MyCnn(Shape image, int classes = 10, Device? device = null)
    {
        ModelCatalog.Require("MyCnn", image, classes, SmallestSide);
        var chain = new Sequential();
        AddBlock(image[0], 16);
        AddBlock(16, 32);
        AddBlock(32, 64);
        chain.Add(new Flatten());
        chain.Add(new Linear(64 * (image[1] / 8) * (image[2] / 8), 128, device: device));
        chain.Add(new ReLU());
        chain.Add(new Dropout(0.5f));
        chain.Add(new Linear(128, classes, device: device));
        AddModule("model", chain);

        void AddBlock(int inChannels, int outChannels)
        {
            chain.Add(new Conv2d(inChannels, outChannels, 3, padding: 1, device: device));
            chain.Add(new MaxPool2d(2));
            chain.Add(new ReLU());
            chain.Add(new Dropout2d(0.2f));
        }
    }
}
