using System.CommandLine;
using CnnNative.Cli.Data;
using CnnNative.Training;
using CnnNative.Vision.Models;

namespace CnnNative.Cli.Commands;

/// <summary>The options of <c>cnn train</c>. Those without a value here take it from the checkpoint that is resumed, or else from <see cref="TrainRequest"/>.</summary>
internal sealed class TrainOptions
{
    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public TrainOptions(Command command)
    {
        Model.AcceptOnlyFromAmong([.. ModelCatalog.Names]);
        Optimizer.AcceptOnlyFromAmong("sgd", "adam");
        foreach (var option in new Option[] { Model, Data, Epochs, MaxSteps, Batch, Optimizer, LearningRate, RateDecay, Momentum, ClipNorm, Seed, Resume, Out })
            command.Add(option);
        Device = new DeviceOptions(command);
        command.Add(Capture);
        command.Add(Json);
    }

    public Option<string?> Model { get; } = new("--model") { Description = "What to train [default: lenet5]" };

    public Option<DataSource?> Data { get; } = DataSource.Option($"Images: {DataSource.Forms} [default: generated]");

    public Option<int> Epochs { get; } = new("--epochs")
    {
        Description = "How often all training images are seen, in all", HelpName = "N", DefaultValueFactory = _ => TrainRequest.DefaultEpochs,
    };

    public Option<long?> MaxSteps { get; } = new("--max-steps") { Description = "Stop after this many steps in all, even within an epoch", HelpName = "N" };

    public Option<int?> Batch { get; } = new("--batch") { Description = $"Images per step [default: {TrainRequest.DefaultBatch}]", HelpName = "N" };

    public Option<OptimizerKind?> Optimizer { get; } = new("--optimizer") { Description = "How weights follow gradients [default: sgd]", HelpName = "sgd|adam" };

    public Option<float?> LearningRate { get; } = new("--lr")
    {
        Description = $"Learning rate [default: {TrainRequest.DefaultSgdRate}, with adam {TrainRequest.DefaultAdamRate}]", HelpName = "X",
    };

    public Option<float?> RateDecay { get; } = new("--lr-decay")
    {
        Description = $"How the rate shrinks: rate / (1 + X * step); 0 keeps it [default: {TrainRequest.DefaultSgdDecay}, with adam 0]", HelpName = "X",
    };

    public Option<float?> Momentum { get; } = new("--momentum")
    {
        Description = $"Share of the old direction that sgd keeps [default: {TrainRequest.DefaultMomentum}]", HelpName = "X",
    };

    public Option<float?> ClipNorm { get; } = new("--clip-norm")
    {
        Description = "Largest norm of all gradients together, to which they are scaled; 0 for no limit [default: 0]", HelpName = "X",
    };

    public Option<ulong?> Seed { get; } = new("--seed") { Description = "Initial weights, order of images, dropout [default: 0]", HelpName = "N" };

    public Option<string?> Resume { get; } = new("--resume") { Description = "Go on from a checkpoint, with its settings, as if it had not stopped", HelpName = "FILE" };

    public Option<string?> Out { get; } = new("--out")
    {
        Description = $"Checkpoint to write [default: {OutputFile.DefaultFolder}/MODEL.safetensors, or the one resumed]", HelpName = "FILE",
    };

    public DeviceOptions Device { get; }

    public Option<bool> Capture { get; } = new("--capture") { Description = "Run each step as one CUDA graph (--engine native)" };

    public Option<bool> Json { get; } = JsonOption.Create();
}
