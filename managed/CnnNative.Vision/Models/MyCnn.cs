using CnnNative.Layers;

namespace CnnNative.Vision.Models;

/// <summary>
/// A small network with dropout: three times convolution 3 x 3, maximum pooling, rectified linear unit and channel
/// dropout, then two dense layers. State keys begin with "model.".
/// </summary>
public static class MyCnn
{
    private const int Pooled = 8;

    /// <summary>Makes the model; 1,024 features for 32 x 32 images.</summary>
    /// <param name="input">Shape of one image: (C, H, W).</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    /// <exception cref="ShapeException">The images are smaller than 8 x 8.</exception>
    public static Module Create(Shape input, int classes, Device? device = null)
    {
        if (input[1] < Pooled || input[2] < Pooled) throw new ShapeException("mycnn", $"input {input}, expected images of at least {Pooled} x {Pooled}");
        var features = 64 * (input[1] / Pooled) * (input[2] / Pooled);
        var layers = new Sequential(
            new Conv2d(input[0], 16, 3, padding: 1, device: device), new MaxPool2d(2), new ReLU(), new Dropout2d(0.2f),
            new Conv2d(16, 32, 3, padding: 1, device: device), new MaxPool2d(2), new ReLU(), new Dropout2d(0.2f),
            new Conv2d(32, 64, 3, padding: 1, device: device), new MaxPool2d(2), new ReLU(), new Dropout2d(0.2f),
            new Flatten(),
            new Linear(features, 128, device: device), new ReLU(), new Dropout(0.5f),
            new Linear(128, classes, device: device));
        var model = new Sequential();
        model.AddModule("model", layers);
        return model;
    }
}
