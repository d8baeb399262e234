using System.CommandLine;
using CnnNative.Cli.Json;
using CnnNative.Cli.Output;
using CnnNative.Training;
using CnnNative.Vision.Inspection;
using CnnNative.Vision.Models;
using Spectre.Console;

namespace CnnNative.Cli.Commands;

/// <summary><c>cnn summary</c>: what a model is made of and what it costs.</summary>
internal static class SummaryCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("summary", "Show the layers of a model: sizes, parameters, memory and work for one image.");
        var model = new Option<string>("--model") { Description = "The model", DefaultValueFactory = _ => "lenet5" };
        model.AcceptOnlyFromAmong([.. ModelCatalog.Names]);
        var input = new Option<Shape>("--input")
        {
            Description = "Shape of one image: channels x height x width",
            HelpName = "CxHxW",
            DefaultValueFactory = _ => [1, 28, 28],
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (ShapeText.TryParse(text, out var shape) && shape.Value.Rank == 3) return shape.Value;
                result.AddError($"--input '{text}' is not a shape such as 1x28x28");
                return default;
            },
        };
        var classes = new Option<int>("--classes") { Description = "Number of classes", HelpName = "N", DefaultValueFactory = _ => 10 };
        var json = JsonOption.Create();
        foreach (var option in new Option[] { model, input, classes, json }) command.Add(option);
        command.SetAction(parsed =>
        {
            var count = (int)Check.Range("--classes", parsed.GetValue(classes), 1, 1 << 20)!;
            Run(parsed.GetRequiredValue(model), parsed.GetValue(input), count, parsed.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Run(string name, Shape input, int classes, bool json)
    {
        using var device = new CpuDevice();
        var model = ModelCatalog.Create(name, input, classes, device);
        var summary = ModelSummary.Measure(model, input, device);
        model.DisposeParameters();

        var human = Human.Open(json);
        human.Line($"{name} for {ShapeText.Format(input)} images of {classes} classes");
        human.Console.Write(Draw(summary));
        if (!json) return;
        var layers = summary.Layers.Select(layer => new LayerJson(
            layer.Name, layer.Type, layer.Output.Sizes.ToArray(), layer.Parameters, layer.ActivationBytes, layer.MultiplyAdds, layer.ReceptiveField));
        Results.Write(
            new SummaryJson(name, input.Sizes.ToArray(), [.. layers], summary.Parameters, summary.ActivationBytes, summary.MultiplyAdds),
            ResultContext.Default.SummaryJson);
    }

    private static Table Draw(ModelSummary summary)
    {
        var table = Human.Table("name", "layer", " output", " parameters", " activation", " multiply-adds", " sees");
        foreach (var layer in summary.Layers)
        {
            var sees = layer.ReceptiveField == 0 ? "all" : $"{layer.ReceptiveField}x{layer.ReceptiveField}";
            string[] cells =
            [
                layer.Name, layer.Type, ShapeText.Format(layer.Output), Words.NumberOrNothing(layer.Parameters),
                Words.Bytes(layer.ActivationBytes), Words.NumberOrNothing(layer.MultiplyAdds), sees,
            ];
            table.AddRow(cells.Select(cell => new Text(cell)));
        }

        table.Columns[0].Footer("total");
        table.Columns[3].Footer(Words.Number(summary.Parameters));
        table.Columns[4].Footer(Words.Bytes(summary.ActivationBytes));
        table.Columns[5].Footer(Words.Number(summary.MultiplyAdds));
        return table;
    }
}
