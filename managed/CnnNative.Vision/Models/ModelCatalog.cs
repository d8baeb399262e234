using CnnNative.Layers;

namespace CnnNative.Vision.Models;

/// <summary>The models by name, as programs and checkpoints call them.</summary>
public static class ModelCatalog
{
    private static readonly OrderedDictionary<string, Func<Shape, int, Device?, Module>> Makers = new()
    {
        ["lenet5"] = (image, classes, device) => new LeNet5(image, classes, device),
        ["mlp"] = (image, classes, device) => new Mlp(image, classes, device),
        ["mycnn"] = (image, classes, device) => new MyCnn(image, classes, device),
    };

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Makers.Keys];

    /// <summary>Builds a model with random weights.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="image">Shape of one image: (C, H, W).</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    /// <exception cref="ArgumentException">There is no model of that name, or no class.</exception>
    /// <exception cref="ShapeException">The model cannot take such images.</exception>
    public static Module Create(string name, Shape image, int classes, Device? device = null)
    {
        if (!Makers.TryGetValue(name, out var make))
            throw new ArgumentException($"there is no model '{name}'; the models are {string.Join(", ", Names)}", nameof(name));
        return make(image, classes, device);
    }

    /// <summary>Checks what a model is asked to classify.</summary>
    internal static void Require(string model, Shape image, int classes, int smallestSide)
    {
        if (image.Rank != 3 || image[0] < 1 || image[1] < smallestSide || image[2] < smallestSide)
            throw new ShapeException(model, $"images {image}, expected (C, H, W) with at least one channel and {smallestSide} x {smallestSide} pixels");
        if (classes < 1) throw new ArgumentException($"{model}: {classes} classes, expected at least 1", nameof(classes));
    }
}
