using CnnNative.Layers;
using CnnNative.Optimizers;
using CnnNative.Serialization;

namespace CnnNative.Training;

/// <summary>
/// A training on disk, in one safetensors file: the model's state under PyTorch's keys, the optimizer's under
/// "optimizer/...", and everything else as metadata. Enough to go on as if training had never stopped, bit for bit.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    private const string OptimizerPrefix = "optimizer/";
    private readonly SafetensorsFile file;

    private Checkpoint(string path, SafetensorsFile file, CheckpointInfo info)
    {
        Path = path;
        this.file = file;
        Info = info;
    }

    /// <summary>The file that it was read from.</summary>
    public string Path { get; }

    /// <summary>Model, optimizer, and where training stood.</summary>
    public CheckpointInfo Info { get; }

    /// <summary>Writes a checkpoint; an existing file stays as it is until the new one is complete.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The model.</param>
    /// <param name="optimizer">Its optimizer.</param>
    /// <param name="info">Everything else.</param>
    /// <exception cref="NonFiniteLossException">A weight is infinite or not a number; nothing is written.</exception>
    /// <exception cref="IOException">The file cannot be written; an existing one is then unchanged.</exception>
    public static void Save(string path, Module model, Optimizer optimizer, CheckpointInfo info)
    {
        var tensors = model.StateDict();
        RequireFinite(tensors, info.State, optimizer.LearningRate);
        foreach (var (key, tensor) in optimizer.StateDict()) tensors.Add(OptimizerPrefix + key, tensor);
        Safetensors.Write(path, tensors, CheckpointMetadata.Write(info));
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <param name="path">The file.</param>
    /// <param name="device">Where its tensors go; the default device if null.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CorruptFileException">The file is damaged, or is no checkpoint.</exception>
    public static Checkpoint Load(string path, Device? device = null)
    {
        var file = Safetensors.Read(path, device);
        try
        {
            return new Checkpoint(path, file, CheckpointMetadata.Read(path, file.Metadata));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Copies the weights and buffers into a model.</summary>
    /// <param name="model">A model of the same kind.</param>
    /// <exception cref="StateDictException">The model is another one; it is then unchanged.</exception>
    public void Restore(Module model) => Restore(model.LoadStateDict, Select(key => key.StartsWith(OptimizerPrefix, StringComparison.Ordinal) ? null : key));

    /// <summary>Copies the state into an optimizer.</summary>
    /// <param name="optimizer">An optimizer of the same kind, over the parameters of the same model.</param>
    /// <exception cref="StateDictException">The optimizer is another one.</exception>
    public void Restore(Optimizer optimizer) =>
        Restore((state, _) => optimizer.LoadStateDict(state), Select(key => key.StartsWith(OptimizerPrefix, StringComparison.Ordinal) ? key[OptimizerPrefix.Length..] : null));

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private void Restore(Action<IReadOnlyDictionary<string, Tensor>, bool> load, Dictionary<string, Tensor> state)
    {
        try
        {
            load(state, true);
        }
        catch (StateDictException error)
        {
            throw new StateDictException($"{Path} (a checkpoint of {Info.Model}): {error.Message}");
        }
    }

    /// <summary>The tensors whose key has a new name, under that name.</summary>
    private Dictionary<string, Tensor> Select(Func<string, string?> rename)
    {
        var selected = new Dictionary<string, Tensor>();
        foreach (var (key, tensor) in file.Tensors)
        {
            if (rename(key) is { } name) selected.Add(name, tensor);
        }

        return selected;
    }

    /// <summary>The last update can have broken weights that no loss was computed from yet; such a file would be of no use.</summary>
    private static void RequireFinite(OrderedDictionary<string, Tensor> tensors, TrainingState state, float learningRate)
    {
        foreach (var (key, tensor) in tensors)
        {
            if (tensor.DType != DType.Float32) continue;
            var elements = tensor.ToArray<float>();
            var bad = Array.FindIndex(elements, element => !float.IsFinite(element));
            if (bad >= 0)
                throw new NonFiniteLossException($"an element of {key}", state.Batch == 0 ? state.Epoch : state.Epoch + 1, state.Step, elements[bad], learningRate);
        }
    }
}
