using System.CommandLine;
using CnnNative.Cli.Json;
using CnnNative.Cli.Output;
using CnnNative.Vision.Images;
using Spectre.Console;

namespace CnnNative.Cli.Commands;

/// <summary><c>cnn predict</c>: says what pictures show.</summary>
internal static class PredictCommand
{
    /// <summary>Classes shown for each picture.</summary>
    private const int Shown = 3;

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("predict", "Say what pictures show. They are brought to the size and the colours that the model was trained with.");
        var images = new Argument<string[]>("IMAGE") { Description = "PNG, BMP, PGM or PPM files", Arity = ArgumentArity.OneOrMore };
        var checkpoint = CheckpointOption.Create();
        var invert = new Option<bool>("--invert") { Description = "The pictures are dark on light, and the model knows light on dark, as digits are" };
        command.Add(images);
        command.Add(checkpoint);
        command.Add(invert);
        var device = new DeviceOptions(command);
        var json = JsonOption.Create();
        command.Add(json);
        command.SetAction(parsed =>
        {
            using var opened = device.Open(parsed).Device;
            using var trained = TrainedModel.Load(parsed.GetRequiredValue(checkpoint), opened);
            var predictions = parsed.GetRequiredValue(images).Select(path => Predict(trained, path, parsed.GetValue(invert), opened)).ToList();
            Report(trained, predictions, opened, parsed.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static PredictionJson Predict(TrainedModel trained, string path, bool invert, Device device)
    {
        var (input, names) = (trained.Info.Model.Input, trained.Info.Model.ClassNames);
        var image = ImageFile.Read(path).ToChannels(input[0]).Resize(input[1], input[2]);
        if (invert) image = image.Invert();
        var numbers = new float[image.Pixels.Length];
        trained.Info.Model.Normalization.Apply(image.Pixels, numbers);

        using var scope = device.Inference();
        var scores = trained.Model.Eval().Forward(Tensor.From(numbers, [1, .. input], device));
        var probabilities = Functional.Softmax(scores, 1).ToArray<float>();
        var top = Enumerable.Range(0, names.Count).OrderByDescending(c => probabilities[c]).Take(Shown)
            .Select(c => new ScoreJson(names[c], probabilities[c])).ToList();
        return new PredictionJson(path, top[0].Class, top[0].Probability, top);
    }

    private static void Report(TrainedModel trained, List<PredictionJson> predictions, Device device, bool json)
    {
        var human = Human.Open(json);
        var table = Human.Table("image", "class", " probability", "otherwise");
        foreach (var prediction in predictions)
        {
            var others = string.Join(", ", prediction.Top.Skip(1).Select(score => $"{score.Class} {Words.Percent(score.Probability)}"));
            table.AddRow(
                new Text(prediction.Image), new Text(prediction.Class, new Style(decoration: Decoration.Bold)),
                new Text(Words.Percent(prediction.Probability)), new Text(others, new Style(Color.Grey)));
        }

        human.Console.Write(table);
        if (json) Results.Write(new PredictJson(trained.Info.Model.Name, DeviceOptions.Name(device), predictions), ResultContext.Default.PredictJson);
    }
}
