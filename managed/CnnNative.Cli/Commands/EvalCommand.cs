using System.CommandLine;
using CnnNative.Cli.Data;
using CnnNative.Cli.Json;
using CnnNative.Cli.Output;
using CnnNative.Training;
using CnnNative.Vision;
using CnnNative.Vision.Datasets;
using Spectre.Console;

namespace CnnNative.Cli.Commands;

/// <summary><c>cnn eval</c>: measures the model of a checkpoint over the test images.</summary>
internal static class EvalCommand
{
    /// <summary>Images per batch of every measurement, here and while training, so that both see the same numbers.</summary>
    public const int BatchSize = 256;

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("eval", "Measure a trained model over test images.");
        var checkpoint = CheckpointOption.Create();
        var data = DataSource.Option($"Images: {DataSource.Forms} [default: what the model was trained on]");
        command.Add(checkpoint);
        command.Add(data);
        var device = new DeviceOptions(command);
        var json = JsonOption.Create();
        command.Add(json);
        command.SetAction(parsed =>
        {
            using var opened = device.Open(parsed).Device;
            Run(parsed.GetRequiredValue(checkpoint), parsed.GetValue(data), opened, parsed.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Run(string path, DataSource? asked, Device device, bool json)
    {
        using var trained = TrainedModel.Load(path, device);
        var data = asked ?? trained.Data;
        var test = data.Load(Split.Test);
        trained.RequireFit(test);
        var confusion = Evaluator.Run(trained.Model, new DataLoader(test, BatchSize, device, normalization: trained.Info.Model.Normalization));
        var tally = confusion.Tally;

        var human = Human.Open(json);
        human.Line($"{trained.Info.Model.Name} of {path} on {test.Name}");
        human.Console.Write(Draw(confusion, test.ClassNames));
        human.Line($"accuracy {Words.Accuracy(tally)}, loss {Words.Loss(tally.Loss)}");
        if (!json) return;
        Results.Write(
            new EvalJson(trained.Info.Model.Name, data.ToString(), DeviceOptions.Name(device), tally.Loss, tally.Accuracy, tally.Images, test.ClassNames, Rows(confusion)),
            ResultContext.Default.EvalJson);
    }

    /// <summary>One row per class: how many of its images were recognised, and what the others were taken for most often.</summary>
    private static Table Draw(Confusion confusion, IReadOnlyList<string> names)
    {
        var table = Human.Table("class", " images", " recognised", "most often taken for");
        for (var actual = 0; actual < confusion.Classes; actual++)
        {
            var images = confusion.Images(actual);
            var wrong = Enumerable.Range(0, confusion.Classes).Where(c => c != actual && confusion[actual, c] > 0).OrderByDescending(c => confusion[actual, c]).Take(2);
            var share = images == 0 ? "" : Words.Percent((double)confusion[actual, actual] / images);
            var mistakes = string.Join(", ", wrong.Select(c => $"{names[c]} ({Words.Number(confusion[actual, c])})"));
            table.AddRow(new Text(names[actual]), new Text(Words.Number(images)), new Text(share), new Text(mistakes));
        }

        return table;
    }

    private static long[][] Rows(Confusion confusion)
    {
        var classes = Enumerable.Range(0, confusion.Classes);
        return [.. classes.Select(actual => classes.Select(predicted => confusion[actual, predicted]).ToArray())];
    }
}
