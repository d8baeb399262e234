namespace CnnNative.Vision.Inspection;

/// <summary>What one layer does to one image.</summary>
/// <param name="Name">Dotted name, as in state dictionaries.</param>
/// <param name="Type">Kind and settings, such as "Conv2d(1, 6, (5, 5))".</param>
/// <param name="Output">Shape of the output without the batch.</param>
/// <param name="Parameters">Trained numbers of the layer itself.</param>
/// <param name="ActivationBytes">Bytes of the output; 0 where it shares the memory of the input.</param>
/// <param name="MultiplyAdds">Multiply-adds.</param>
/// <param name="ReceptiveField">Side in pixels of the square of the image that one output pixel sees; 0 where the output is no longer an image.</param>
public sealed record LayerSummary(
    string Name, string Type, Shape Output, long Parameters, long ActivationBytes, long MultiplyAdds, int ReceptiveField);
