namespace CnnNative.Vision.Inspection;

/// <summary>One layer of a model, for one image.</summary>
/// <param name="Name">Its dotted name in the model.</param>
/// <param name="Type">The layer with its settings, such as "Conv2d(1, 6, (5, 5))".</param>
/// <param name="Output">Shape of its output, without the batch.</param>
/// <param name="Parameters">Numbers that it learns.</param>
/// <param name="ActivationBytes">Bytes of its output.</param>
/// <param name="MultiplyAdds">Multiply-adds of its forward pass.</param>
/// <param name="ReceptiveField">Side of the part of the image that one element of the output sees (the longer one); 0 when it sees all of it.</param>
public sealed record LayerSummary(
    string Name, string Type, Shape Output, long Parameters, long ActivationBytes, long MultiplyAdds, int ReceptiveField);
