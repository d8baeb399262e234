using CnnNative.Layers;

namespace CnnNative.Vision.Inspection;

/// <summary>What a model is made of and what one image costs, found by running one black image in inference.</summary>
/// <param name="Layers">The layers in the order in which they ran.</param>
/// <param name="Parameters">Trained numbers of the model.</param>
/// <param name="ActivationBytes">Bytes of all outputs together.</param>
/// <param name="MultiplyAdds">Multiply-adds.</param>
public sealed record ModelSummary(IReadOnlyList<LayerSummary> Layers, long Parameters, long ActivationBytes, long MultiplyAdds)
{
    /// <summary>Measures a model. It is left in the state in which it was; a lazy model learns its sizes.</summary>
    /// <param name="model">The model, on the device.</param>
    /// <param name="image">Shape of one image: (C, H, W).</param>
    /// <param name="device">Where to run it; the default device if null.</param>
    /// <exception cref="ShapeException">The model cannot take such an image.</exception>
    public static ModelSummary Measure(Module model, Shape image, Device? device = null)
    {
        device ??= Device.Default;
        var training = model.NamedModules().Select(entry => (Module: entry.Value, entry.Value.Training)).ToList();
        using var recorder = new LayerRecorder(model);
        model.Eval();
        try
        {
            using var scope = device.Inference();
            model.Forward(recorder.Start(Tensor.Zeros([1, .. image], device)));
        }
        finally
        {
            // A module comes before its children, whose own state then prevails.
            foreach (var (module, wasTraining) in training) module.Train(wasTraining);
        }

        var layers = recorder.Layers;
        return new ModelSummary(
            layers, model.Parameters().Sum(parameter => parameter.Count), layers.Sum(layer => layer.ActivationBytes), layers.Sum(layer => layer.MultiplyAdds));
    }
}
