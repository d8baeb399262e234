using CnnNative.Layers;

namespace CnnNative.Vision.Inspection;

/// <summary>What a model is made of and what it costs, for one image.</summary>
/// <param name="Layers">The layers in the order in which they run.</param>
public sealed record ModelSummary(IReadOnlyList<LayerSummary> Layers)
{
    /// <summary>Numbers that the model learns.</summary>
    public long Parameters => Layers.Sum(layer => layer.Parameters);

    /// <summary>Bytes of all outputs.</summary>
    public long ActivationBytes => Layers.Sum(layer => layer.ActivationBytes);

    /// <summary>Multiply-adds of a forward pass.</summary>
    public long MultiplyAdds => Layers.Sum(layer => layer.MultiplyAdds);

    /// <summary>Runs a model once, on an image of zeros, and notes what its layers did.</summary>
    /// <param name="model">The model; a lazy one learns its sizes.</param>
    /// <param name="input">Shape of one image: (C, H, W).</param>
    /// <param name="device">Where the model is.</param>
    /// <exception cref="ShapeException">The image does not fit the model.</exception>
    public static ModelSummary Measure(Module model, Shape input, Device device)
    {
        var layers = new List<LayerSummary>();
        var (field, jump) = (1, 1);
        var hooks = new List<IDisposable>();
        var wasTraining = model.Training;
        try
        {
            model.Eval();
            foreach (var (name, module) in model.NamedModules().Where(entry => !entry.Value.Children.Any()))
                hooks.Add(module.OnForward((layer, x, y) => layers.Add(Describe(name, layer, x.Shape, y, ref field, ref jump))));
            using var scope = device.Inference();
            model.Forward(Tensor.Zeros([1, .. input], device));
        }
        finally
        {
            foreach (var hook in hooks) hook.Dispose();
            model.Train(wasTraining);
        }

        return new ModelSummary(layers);
    }

    /// <summary>One layer. The field grows by (window - 1) steps of the layers before, and the step by the stride (Araujo, Norris and Sim, 2019).</summary>
    private static LayerSummary Describe(string name, Module layer, Shape input, Tensor y, ref int field, ref int jump)
    {
        if (layer.Window is { } window && field > 0)
        {
            field += (Math.Max(window.Kernel.H, window.Kernel.W) - 1) * Math.Max(window.Dilation.H, window.Dilation.W) * jump;
            jump *= Math.Max(window.Stride.H, window.Stride.W);
        }

        if (y.Rank < 4) field = 0;
        var parameters = layer.NamedParameters().Sum(entry => entry.Value.Count);
        return new LayerSummary(
            name, layer.ToString() ?? "", new Shape(y.Shape.Sizes[1..]), parameters, y.Count * y.DType.Size(), layer.MultiplyAdds(input, y.Shape), field);
    }
}
