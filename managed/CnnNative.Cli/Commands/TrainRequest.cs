using System.CommandLine;
using CnnNative.Cli.Data;
using CnnNative.Training;

namespace CnnNative.Cli.Commands;

/// <summary>What <c>cnn train</c> is to do, when the command line, the checkpoint that is resumed, and the defaults are put together.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Data">Where the images come from.</param>
/// <param name="BatchSize">Images per step.</param>
/// <param name="Seed">Decides initial weights, order of images and dropout.</param>
/// <param name="Out">The checkpoint to write.</param>
/// <param name="Settings">For the trainer.</param>
internal sealed record TrainRequest(string Model, DataSource Data, int BatchSize, ulong Seed, string Out, TrainerSettings Settings)
{
    public const int DefaultEpochs = 3, DefaultBatch = 64;
    public const float DefaultSgdRate = 0.05f, DefaultAdamRate = 0.001f, DefaultMomentum = 0.9f, DefaultSgdDecay = 0.002f;
    private const int MostBatch = 1 << 20;

    /// <summary>Puts the request together.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="options">Its options.</param>
    /// <param name="resumed">The checkpoint to go on from, or null.</param>
    /// <exception cref="UsageException">A number makes no sense, or contradicts the checkpoint.</exception>
    /// <exception cref="StateDictException">The checkpoint is of another model.</exception>
    public static TrainRequest From(ParseResult parsed, TrainOptions options, CheckpointInfo? resumed)
    {
        var resume = parsed.GetValue(options.Resume);
        var model = ModelOf(parsed.GetValue(options.Model), resume, resumed);
        var data = parsed.GetValue(options.Data) ?? DataOf(resume, resumed);
        var batch = (int)(Check.Range("--batch", Agree("--batch", parsed.GetValue(options.Batch), resumed?.State.BatchSize), 1, MostBatch) ?? DefaultBatch);
        var seed = Agree("--seed", parsed.GetValue(options.Seed), resumed?.State.LoaderSeed) ?? 0;
        var settings = new TrainerSettings(OptimizerOf(parsed, options, resumed?.Optimizer), model)
        {
            Epochs = (int)Check.Range("--epochs", parsed.GetValue(options.Epochs), 1)!,
            MaxSteps = Check.Range("--max-steps", parsed.GetValue(options.MaxSteps), 1),
            CheckpointPath = parsed.GetValue(options.Out) ?? resume ?? OutputFile.Default(model),
            Data = data.ToString(),
            Captured = parsed.GetValue(options.Capture),
        };
        return new TrainRequest(model, data, batch, seed, settings.CheckpointPath, settings);
    }

    private static string ModelOf(string? asked, string? resume, CheckpointInfo? resumed)
    {
        if (resumed is not null && asked is not null && asked != resumed.Model.Name)
            throw new StateDictException($"{resume} is a checkpoint of {resumed.Model}, not of {asked}; leave out --model, or --resume");
        return asked ?? resumed?.Model.Name ?? "lenet5";
    }

    private static DataSource DataOf(string? resume, CheckpointInfo? resumed)
    {
        if (resumed is null) return DataSource.Generated;
        return DataSource.TryParse(resumed.Data, out var source)
            ? source
            : throw new UsageException($"{resume} was trained on '{resumed.Data}'; say with --data where that is");
    }

    private static OptimizerSettings OptimizerOf(ParseResult parsed, TrainOptions options, OptimizerSettings? resumed)
    {
        var kind = Agree("--optimizer", parsed.GetValue(options.Optimizer), resumed?.Kind) ?? OptimizerKind.Sgd;
        var momentum = Check.Finite("--momentum", parsed.GetValue(options.Momentum));
        if (kind == OptimizerKind.Adam && momentum is not null) throw new UsageException("--momentum goes with --optimizer sgd; adam has its own");
        var rate = Check.Finite("--lr", parsed.GetValue(options.LearningRate), positive: true)
            ?? resumed?.LearningRate ?? (kind == OptimizerKind.Sgd ? DefaultSgdRate : DefaultAdamRate);
        var decay = Check.Finite("--lr-decay", parsed.GetValue(options.RateDecay))
            ?? resumed?.RateDecay ?? (kind == OptimizerKind.Sgd ? DefaultSgdDecay : 0f);
        momentum ??= resumed?.Momentum ?? (kind == OptimizerKind.Sgd ? DefaultMomentum : 0f);
        var clip = Check.Finite("--clip-norm", parsed.GetValue(options.ClipNorm)) ?? resumed?.ClipNorm ?? 0f;
        return new OptimizerSettings(kind, rate, momentum.Value, resumed?.WeightDecay ?? 0f, decay, clip);
    }

    /// <summary>What was asked for, or what the checkpoint says; they must not differ.</summary>
    private static T? Agree<T>(string option, T? asked, T? resumed) where T : struct
    {
        if (asked is { } wish && resumed is { } fact && !EqualityComparer<T>.Default.Equals(wish, fact))
            throw new UsageException($"{option} {wish} does not fit the checkpoint, which was made with {fact}; leave it out to go on");
        return asked ?? resumed;
    }
}
