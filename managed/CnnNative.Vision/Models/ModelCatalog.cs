using CnnNative.Layers;

namespace CnnNative.Vision.Models;

/// <summary>The models by name.</summary>
public static class ModelCatalog
{
    private static readonly (string Name, Func<Shape, int, Device?, Module> Create)[] Models =
    [
        ("lenet5", LeNet5.Create), ("mlp", Mlp.Create), ("mycnn", MyCnn.Create),
    ];

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Models.Select(model => model.Name)];

    /// <summary>Makes a model with initial weights from the device's generator.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="input">Shape of one image: (C, H, W).</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    /// <exception cref="ArgumentException">There is no such model, or the images are too small for it.</exception>
    public static Module Create(string name, Shape input, int classes, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        if (input.Rank != 3 || input.Count == 0) throw new ShapeException(name, $"input {input}, expected (C, H, W) with sizes of at least 1");
        foreach (var model in Models)
        {
            if (model.Name == name) return model.Create(input, classes, device);
        }

        throw new ArgumentException($"there is no model '{name}'; known are {string.Join(", ", Names)}");
    }
}
