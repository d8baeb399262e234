using CnnNative.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CnnNative.Cli.Output;

/// <summary>
/// Shows a training: one line per epoch and, on a terminal, a bar below them for the epoch in progress. Where there is
/// no terminal the lines are all, so that a log reads the same as the screen did.
/// </summary>
internal sealed class TrainingView(Human human, string engine, bool isTimed) : ITrainingObserver
{
    private readonly SpeedColumn speed = new();
    private ProgressTask? bar;
    private int epochs;

    /// <summary>Runs a training under the bar.</summary>
    /// <param name="train">Trains, with this view as its observer.</param>
    public TrainingResult Show(Func<TrainingResult> train)
    {
        if (!human.IsLive) return train();
        var columns = new ProgressColumn[] { new TaskDescriptionColumn(), new ProgressBarColumn { Width = 32 }, new PercentageColumn(), speed };
        return human.Console.Progress().AutoClear(true).Columns(columns).Start(context =>
        {
            bar = context.AddTask("epoch");
            return train();
        });
    }

    /// <inheritdoc/>
    public void OnStart(TrainingPlan plan)
    {
        epochs = plan.Epochs;
        WriteHead(plan);
        Write(Row("epoch", "train loss", "accuracy", "test loss", "accuracy", "images/s", "time"), Color.Grey);
    }

    private void WriteHead(TrainingPlan plan)
    {
        var images = $"{Words.Number(plan.TrainImages)} images to train, {Words.Number(plan.TestImages)} to test";
        Write($"{plan.Model.Name}, {Words.Number(plan.Parameters)} parameters; {plan.Data}, {images}");
        Write($"{plan.Optimizer}; batch {plan.BatchSize}");
        Write(engine);
        if (plan.FirstStep > 0) Write($"going on after step {Words.Number(plan.FirstStep)}");
        Write("");
    }

    /// <inheritdoc/>
    public void OnStep(in StepReport step)
    {
        if (bar is null) return;
        bar.Description = $"epoch {step.Epoch}/{epochs}";
        bar.MaxValue = step.Batches;
        bar.Value = step.Batch;
        speed.Text = (step.Train.Images == 0 ? "" : $"loss {Words.Loss(step.Train.Loss)}   ") + $"{Speed(step.ImagesPerSecond)}";
    }

    /// <inheritdoc/>
    public void OnEpoch(EpochReport epoch) => Write(Row(
        $"{epoch.Epoch}/{epochs}", Words.Loss(epoch.Train.Loss), Words.Percent(epoch.Train.Accuracy),
        Words.Loss(epoch.Test.Loss), Words.Percent(epoch.Test.Accuracy), isTimed ? Words.Rate(epoch.ImagesPerSecond) : "-", Words.Time(epoch.TrainingTime)));

    /// <summary>The table at the end.</summary>
    /// <param name="result">How training ended.</param>
    /// <param name="checkpoint">Where the model is now.</param>
    public void ShowResult(TrainingResult result, string checkpoint)
    {
        var table = Human.Table("result", " ").HideHeaders();
        table.AddRow(new Text("test accuracy"), new Text(Words.Accuracy(result.Test!.Value), new Style(decoration: Decoration.Bold)));
        table.AddRow("test loss", Words.Loss(result.Test.Value.Loss));
        table.AddRow("speed", Speed(result.ImagesPerSecond));
        table.AddRow("peak memory", Words.Bytes(result.PeakMemoryBytes));
        human.Line();
        human.Console.Write(table);
        human.Line($"checkpoint: {checkpoint}");
    }

    private string Speed(double imagesPerSecond) => isTimed ? $"{Words.Rate(imagesPerSecond)} images/s" : "emulated: not a speed";

    private static string Row(string epoch, string trainLoss, string trainAccuracy, string testLoss, string testAccuracy, string rate, string time) =>
        $"{epoch,7}{trainLoss,13}{trainAccuracy,11}{testLoss,12}{testAccuracy,11}{rate,12}{time,10}";

    /// <summary>Writes a line above the bar, in one piece: the bar moves down after each.</summary>
    private void Write(string line, Color? color = null) => human.Console.WriteLine(line, new Style(color));

    /// <summary>Loss and speed, to the right of the bar.</summary>
    private sealed class SpeedColumn : ProgressColumn
    {
        private volatile string text = "";

        public string Text
        {
            set => text = value;
        }

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(text, new Style(Color.Grey));
    }
}
