using CnnNative.Layers;

namespace CnnNative.Vision.Models;

/// <summary>A perceptron with three hidden layers of 256 rectified linear units: 784-256-256-256-10 for MNIST.</summary>
public static class Mlp
{
    private const int Width = 256;

    /// <summary>Makes the model.</summary>
    /// <param name="input">Shape of one image: (C, H, W).</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    public static Module Create(Shape input, int classes, Device? device = null) => new Sequential(
        new Flatten(),
        new Linear(checked((int)input.Count), Width, device: device), new ReLU(),
        new Linear(Width, Width, device: device), new ReLU(),
        new Linear(Width, Width, device: device), new ReLU(),
        new Linear(Width, classes, device: device));
}
