using CnnNative.Layers;

namespace CnnNative.Vision.Models;

/// <summary>
/// LeNet-5 (LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998) in its
/// usual present form, with ReLU and maximum pooling: two convolutions of 5 x 5 and three dense layers. 61,706 parameters
/// for (1, 28, 28) and ten classes.
/// </summary>
public sealed class LeNet5 : Sequential
{
    /// <summary>Two halvings and one convolution without padding must leave a pixel.</summary>
    private const int SmallestSide = 12;

    /// <summary>Creates the model with PyTorch's initial weights.</summary>
    /// <param name="image">Shape of one image: (C, H, W).</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    /// <exception cref="ShapeException">The image is smaller than 12 x 12, or not (C, H, W).</exception>
    /// <exception cref="ArgumentException">There is no class.</exception>
    public LeNet5(Shape image, int classes = 10, Device? device = null)
    {
        ModelCatalog.Require("LeNet5", image, classes, SmallestSide);
        var (height, width) = ((image[1] / 2 - 4) / 2, (image[2] / 2 - 4) / 2);
        AddModule("conv1", new Conv2d(image[0], 6, 5, padding: 2, device: device));
        AddModule("relu1", new ReLU());
        AddModule("pool1", new MaxPool2d(2));
        AddModule("conv2", new Conv2d(6, 16, 5, device: device));
        AddModule("relu2", new ReLU());
        AddModule("pool2", new MaxPool2d(2));
        AddModule("flatten", new Flatten());
        AddModule("fc1", new Linear(16 * height * width, 120, device: device));
        AddModule("relu3", new ReLU());
        AddModule("fc2", new Linear(120, 84, device: device));
        AddModule("relu4", new ReLU());
        AddModule("fc3", new Linear(84, classes, device: device));
    }
}
