using CnnNative.Layers;

namespace CnnNative.Vision.Models;

/// <summary>Dense layers only: the pixels, three hidden layers of 256 with ReLU, the classes. 335,114 parameters for (1, 28, 28) and ten classes.</summary>
public sealed class Mlp : Sequential
{
    private const int Hidden = 256;

    /// <summary>Creates the model with PyTorch's initial weights.</summary>
    /// <param name="image">Shape of one image: (C, H, W).</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    /// <exception cref="ShapeException">The shape is not (C, H, W), or empty.</exception>
    /// <exception cref="ArgumentException">There is no class.</exception>
    public Mlp(Shape image, int classes = 10, Device? device = null)
    {
        ModelCatalog.Require("Mlp", image, classes, smallestSide: 1);
        AddModule("flatten", new Flatten());
        AddModule("fc1", new Linear(checked((int)image.Count), Hidden, device: device));
        AddModule("relu1", new ReLU());
        AddModule("fc2", new Linear(Hidden, Hidden, device: device));
        AddModule("relu2", new ReLU());
        AddModule("fc3", new Linear(Hidden, Hidden, device: device));
        AddModule("relu3", new ReLU());
        AddModule("fc4", new Linear(Hidden, classes, device: device));
    }
}
