using CnnNative.Layers;

namespace CnnNative.Vision.Models;

/// <summary>
/// LeNet-5 (LeCun, Bottou, Bengio and Haffner, 1998) as it is built today: rectified linear units and maximum pooling.
/// A 28 x 28 image gets a border of two, as the 32 x 32 images of the paper have it.
/// </summary>
public static class LeNet5
{
    /// <summary>Makes the model: 61,706 parameters for grey 28 x 28 images of ten classes.</summary>
    /// <param name="input">Shape of one image: (C, H, W).</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    /// <exception cref="ShapeException">The images are smaller than 12 x 12.</exception>
    public static Module Create(Shape input, int classes, Device? device = null)
    {
        var (rows, columns) = (Left(input[1]), Left(input[2]));
        if (rows < 1 || columns < 1) throw new ShapeException("lenet5", $"input {input}, expected images of at least 12 x 12");
        return new Sequential(
            new Conv2d(input[0], 6, 5, padding: 2, device: device), new ReLU(), new MaxPool2d(2),
            new Conv2d(6, 16, 5, device: device), new ReLU(), new MaxPool2d(2),
            new Flatten(),
            new Linear(16 * rows * columns, 120, device: device), new ReLU(),
            new Linear(120, 84, device: device), new ReLU(),
            new Linear(84, classes, device: device));
    }

    /// <summary>What the two convolutions and poolings leave of a side.</summary>
    private static int Left(int side) => (side / 2 - 4) / 2;
}
