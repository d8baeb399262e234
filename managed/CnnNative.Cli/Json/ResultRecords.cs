using System.Text.Json.Serialization;

namespace CnnNative.Cli.Json;

/// <summary>What <c>cnn train --json</c> reports. Accuracies are shares, 0 to 1; threads are the CPU's, null on a GPU; the speed is null on the emulated driver.</summary>
internal sealed record TrainJson(
    string Model, string Data, string Engine, int? Threads, int Epochs, long Steps, double TrainLoss, double TrainAccuracy,
    double TestLoss, double TestAccuracy, double? ImagesPerSecond, long PeakMemoryBytes, string Checkpoint);

/// <summary>What <c>cnn eval --json</c> reports; <paramref name="Confusion"/> has a row per true class and a column per predicted one.</summary>
internal sealed record EvalJson(
    string Model, string Data, string Engine, double TestLoss, double TestAccuracy, long Images, IReadOnlyList<string> ClassNames, long[][] Confusion);

/// <summary>What <c>cnn predict --json</c> reports.</summary>
internal sealed record PredictJson(string Model, string Engine, IReadOnlyList<PredictionJson> Predictions);

/// <summary>One image: its most probable class, and the first few by probability.</summary>
internal sealed record PredictionJson(string Image, string Class, double Probability, IReadOnlyList<ScoreJson> Top);

/// <summary>A class and its probability.</summary>
internal sealed record ScoreJson(string Class, double Probability);

/// <summary>What <c>cnn summary --json</c> reports. Shapes and bytes are for one image.</summary>
internal sealed record SummaryJson(string Model, int[] Input, IReadOnlyList<LayerJson> Layers, long Parameters, long ActivationBytes, long MultiplyAdds);

/// <summary>One layer.</summary>
internal sealed record LayerJson(
    string Name, string Type, int[] Output, long Parameters, long ActivationBytes, long MultiplyAdds, int ReceptiveField);

/// <summary>Writers made at compile time, so that no reflection is needed.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TrainJson))]
[JsonSerializable(typeof(EvalJson))]
[JsonSerializable(typeof(PredictJson))]
[JsonSerializable(typeof(SummaryJson))]
[JsonSerializable(typeof(DoctorJson))]
[JsonSerializable(typeof(BenchJson))]
[JsonSerializable(typeof(CountsJson))]
internal sealed partial class ResultContext : JsonSerializerContext;
