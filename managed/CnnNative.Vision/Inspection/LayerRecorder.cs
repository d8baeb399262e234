using CnnNative.Layers;

namespace CnnNative.Vision.Inspection;

/// <summary>
/// Listens to a forward pass. A module that only hands on what a child made, such as a chain, is no layer of its own;
/// one that makes something of its children's outputs, such as a residual sum, is.
/// </summary>
internal sealed class LayerRecorder : IDisposable
{
    private readonly List<IDisposable> hooks = [];
    private readonly List<LayerSummary> layers = [];
    private readonly Dictionary<Tensor, Field> fields = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Module, Field> lastFields = [];
    private Tensor? input;

    /// <summary>Begins to listen.</summary>
    public LayerRecorder(Module model)
    {
        foreach (var (name, module) in model.NamedModules())
            hooks.Add(module.OnForward((layer, x, y) => Record(name, layer, x, y)));
    }

    /// <summary>The layers heard so far.</summary>
    public IReadOnlyList<LayerSummary> Layers => layers;

    /// <summary>Names the image that is sent through.</summary>
    /// <returns>The same tensor.</returns>
    public Tensor Start(Tensor image)
    {
        input = image;
        fields[image] = new Field(Size: 1, Step: 1);
        return image;
    }

    /// <summary>Ends to listen.</summary>
    public void Dispose()
    {
        foreach (var hook in hooks) hook.Dispose();
    }

    private void Record(string name, Module module, Tensor x, Tensor y)
    {
        var handedOn = fields.TryGetValue(y, out var field);
        if (!handedOn) field = FieldOf(module, x);
        lastFields[module] = fields[y] = field;
        if (handedOn && (y != input || module.Children.Any())) return;
        layers.Add(new LayerSummary(
            name, module.Children.Any() ? module.GetType().Name : module.ToString() ?? "", new Shape(y.Shape.Sizes[1..]),
            module.NamedParameters().Where(entry => !entry.Key.Contains('.')).Sum(entry => entry.Value.Count),
            y.SharesMemory ? 0 : y.Count * y.DType.Size(), module.MultiplyAdds(x.Shape, y.Shape),
            y.Rank == 4 ? field.Size : 0));
    }

    /// <summary>What one pixel of a module's output sees: its window over what the input sees, or the most that a branch inside sees.</summary>
    private Field FieldOf(Module module, Tensor x)
    {
        var field = fields.GetValueOrDefault(x, new Field(Size: 1, Step: 1));
        foreach (var (_, child) in module.Children)
        {
            if (lastFields.TryGetValue(child, out var inner) && inner.Size > field.Size) field = inner;
        }

        if (module.WindowOver(x.Shape) is not { } window) return field;
        var reach = Math.Max((window.Kernel.H - 1) * window.Dilation.H, (window.Kernel.W - 1) * window.Dilation.W);
        return new Field(field.Size + reach * field.Step, field.Step * Math.Max(window.Stride.H, window.Stride.W));
    }

    /// <param name="Size">Side of the square of the image that one pixel sees.</param>
    /// <param name="Step">Distance in the image of the squares of neighbouring pixels.</param>
    private readonly record struct Field(int Size, int Step);
}
