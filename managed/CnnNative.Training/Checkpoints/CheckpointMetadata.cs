namespace CnnNative.Training;

/// <summary>
/// <see cref="CheckpointInfo"/> as the flat text of a safetensors file's metadata, and back. Numbers are written so that
/// they come back to the last bit.
/// </summary>
internal static class CheckpointMetadata
{
    public const string Format = "cnnnative.checkpoint";

    /// <summary>Grows when a reader of today could not make sense of the file any more.</summary>
    public const int Version = 1;

    public static Dictionary<string, string> Write(CheckpointInfo info)
    {
        var (model, optimizer, state) = (info.Model, info.Optimizer, info.State);
        var text = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["format_version"] = $"{Version}",
            ["model"] = model.Name,
            ["input"] = ShapeText.Format(model.Input),
            ["class_names"] = string.Join('\n', model.ClassNames),
            ["normalization_mean"] = string.Join(' ', model.Normalization.Mean),
            ["normalization_deviation"] = string.Join(' ', model.Normalization.Deviation),
            ["data"] = info.Data,
            ["optimizer"] = optimizer.Kind.ToString().ToLowerInvariant(),
            ["learning_rate"] = $"{optimizer.LearningRate}",
            ["momentum"] = $"{optimizer.Momentum}",
            ["weight_decay"] = $"{optimizer.WeightDecay}",
            ["learning_rate_decay"] = $"{optimizer.RateDecay}",
            ["clip_norm"] = $"{optimizer.ClipNorm}",
            ["epoch"] = $"{state.Epoch}",
            ["batch"] = $"{state.Batch}",
            ["step"] = $"{state.Step}",
            ["batch_size"] = $"{state.BatchSize}",
            ["loader_seed"] = $"{state.LoaderSeed}",
            ["generator_seed"] = $"{state.GeneratorSeed}",
            ["generator_position"] = $"{state.GeneratorPosition}",
        };
        Write(text, "train", state.Train);
        if (state.Test is { } test) Write(text, "test", test);
        return text;
    }

    /// <exception cref="CorruptFileException">Something is missing or makes no sense.</exception>
    public static CheckpointInfo Read(string path, IReadOnlyDictionary<string, string> metadata)
    {
        var text = new MetadataReader(path, metadata);
        if (metadata.GetValueOrDefault("format") != Format)
            throw new CorruptFileException(path, $"a safetensors file, but no checkpoint of a training: its metadata has no format '{Format}'");
        if (text.Int("format_version", 1) is var version && version > Version)
            throw new CorruptFileException(path, $"a checkpoint of format {version}; this version reads formats up to {Version}");
        return new CheckpointInfo(ReadModel(text), ReadOptimizer(text), ReadState(text), text.Text("data"));
    }

    private static void Write(Dictionary<string, string> text, string prefix, Tally tally)
    {
        text[$"{prefix}_loss_sum"] = $"{tally.LossSum}";
        text[$"{prefix}_hits"] = $"{tally.Hits}";
        text[$"{prefix}_images"] = $"{tally.Images}";
    }

    private static ModelDescription ReadModel(MetadataReader text)
    {
        if (!ShapeText.TryParse(text.Text("input"), out var input)) throw text.Wrong("input", "a shape such as 1x28x28");
        return new ModelDescription(text.Text("model"), input.Value, text.Text("class_names").Split('\n'), text.Normalization("normalization"));
    }

    private static OptimizerSettings ReadOptimizer(MetadataReader text)
    {
        if (!Enum.TryParse<OptimizerKind>(text.Text("optimizer"), ignoreCase: true, out var kind) || !Enum.IsDefined(kind))
            throw text.Wrong("optimizer", "sgd or adam");
        return new OptimizerSettings(
            kind, text.Float("learning_rate"), text.Float("momentum"), text.Float("weight_decay"), text.Float("learning_rate_decay"),
            text.Has("clip_norm") ? text.Float("clip_norm") : 0f);
    }

    private static TrainingState ReadState(MetadataReader text) => new(
        text.Int("epoch", 0), text.Int("batch", 0), text.Long("step", 0), text.Int("batch_size", 1),
        text.ULong("loader_seed"), text.ULong("generator_seed"), text.ULong("generator_position"),
        ReadTally(text, "train"), text.Has("test_images") ? ReadTally(text, "test") : null);

    private static Tally ReadTally(MetadataReader text, string prefix) =>
        new(text.Double($"{prefix}_loss_sum"), text.Long($"{prefix}_hits", 0), text.Long($"{prefix}_images", 0));
}
