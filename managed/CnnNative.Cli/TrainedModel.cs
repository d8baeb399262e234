using CnnNative.Cli.Data;
using CnnNative.Layers;
using CnnNative.Training;
using CnnNative.Vision.Datasets;
using CnnNative.Vision.Models;

namespace CnnNative.Cli;

/// <summary>A model as a checkpoint describes it, with its weights.</summary>
internal sealed class TrainedModel : IDisposable
{
    private readonly string path;

    private TrainedModel(string path, CheckpointInfo info, Module model) => (this.path, Info, Model) = (path, info, model);

    /// <summary>What the checkpoint says of it.</summary>
    public CheckpointInfo Info { get; }

    /// <summary>The model.</summary>
    public Module Model { get; }

    /// <summary>What it was trained on.</summary>
    /// <exception cref="UsageException">The checkpoint was not written by this program, and its data has another name.</exception>
    public DataSource Data => DataSource.TryParse(Info.Data, out var source)
        ? source
        : throw new UsageException($"{path} was trained on '{Info.Data}'; say with --data where test images are");

    /// <summary>Builds the model and loads its weights.</summary>
    /// <param name="path">The checkpoint.</param>
    /// <param name="device">Where the model goes.</param>
    /// <exception cref="IOException">The file is missing or damaged.</exception>
    /// <exception cref="StateDictException">Its weights are not those of the model that it names.</exception>
    public static TrainedModel Load(string path, Device device)
    {
        using var checkpoint = Checkpoint.Load(path, device);
        var description = checkpoint.Info.Model;
        var model = ModelCatalog.Create(description.Name, description.Input, description.ClassNames.Count, device);
        checkpoint.Restore(model);
        return new TrainedModel(path, checkpoint.Info, model);
    }

    /// <summary>Throws unless images of a data set can go into the model.</summary>
    /// <param name="data">The data set.</param>
    /// <exception cref="UsageException">Size or classes differ.</exception>
    public void RequireFit(ImageDataset data)
    {
        if (data.ImageShape != Info.Model.Input || data.ClassCount != Info.Model.ClassNames.Count)
            throw new UsageException($"{path} holds {Info.Model}; {data.Name} has {ShapeText.Format(data.ImageShape)} images of {data.ClassCount} classes");
    }

    /// <inheritdoc/>
    public void Dispose() => Model.DisposeParameters();
}
