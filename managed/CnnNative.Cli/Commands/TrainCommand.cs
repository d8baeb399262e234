using System.CommandLine;
using CnnNative.Cli.Json;
using CnnNative.Cli.Output;
using CnnNative.Training;
using CnnNative.Vision;
using CnnNative.Vision.Datasets;
using CnnNative.Vision.Models;

namespace CnnNative.Cli.Commands;

/// <summary><c>cnn train</c>: trains a model, judges it by the test images after every epoch, and keeps it in a checkpoint.</summary>
internal static class TrainCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("train", "Train a model. Without options: LeNet-5, on digits that the program makes itself.");
        var options = new TrainOptions(command);
        command.SetAction(parsed => Run(parsed, options));
        return command;
    }

    private static int Run(ParseResult parsed, TrainOptions options)
    {
        var choice = options.Device.Open(parsed);
        using var device = choice.Device;
        using var resumed = parsed.GetValue(options.Resume) is { } path ? Checkpoint.Load(path, device) : null;
        var request = TrainRequest.From(parsed, options, resumed?.Info);
        OutputFile.RequireWritable(request.Out);
        var json = parsed.GetValue(options.Json);
        var human = Human.Open(json);

        device.Random.Seed = request.Seed;
        var (train, test) = (request.Data.Load(Split.Train), request.Data.Load(Split.Test));
        var model = ModelCatalog.Create(request.Model, train.ImageShape, train.ClassCount, device);
        var loader = new DataLoader(train, request.BatchSize, device, shuffle: true, seed: request.Seed);
        var testLoader = new DataLoader(test, EvalCommand.BatchSize, device);
        var view = new TrainingView(human, DeviceOptions.Explain(choice), DeviceOptions.IsTimed(device));
        using var trainer = new Trainer(model, loader, testLoader, request.Settings, view);
        if (resumed is not null) trainer.Resume(resumed);

        using var interruption = new Interruption();
        var result = view.Show(() => trainer.Run(interruption.Token));
        if (result.Test is not { } measured)
        {
            var goOn = $"cnn train --resume {request.Out} --epochs {request.Settings.Epochs}";
            Console.Error.WriteLine($"interrupted after step {result.Steps}, which is saved; go on with: {goOn}");
            return interruption.ExitCode;
        }

        view.ShowResult(result, request.Out);
        if (json) Results.Write(Describe(request, device, result, measured), ResultContext.Default.TrainJson);
        return ExitCode.Success;
    }

    private static TrainJson Describe(TrainRequest request, Device device, TrainingResult result, Tally test) => new(
        request.Model, request.Data.ToString(), DeviceOptions.Name(device), (device as CpuDevice)?.Threads, result.Epochs, result.Steps, result.Train.Loss, result.Train.Accuracy,
        test.Loss, test.Accuracy, DeviceOptions.IsTimed(device) ? result.ImagesPerSecond : null, result.PeakMemoryBytes, request.Out);
}
