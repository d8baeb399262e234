namespace CnnNative.Serialization;

/// <summary>What a safetensors file holds. Disposing it frees the tensors.</summary>
/// <param name="Tensors">The tensors by name, in the order of the file. They belong to no scope.</param>
/// <param name="Metadata">Free text by key.</param>
public sealed record SafetensorsFile(OrderedDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values) tensor.Dispose();
    }
}
