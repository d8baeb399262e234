using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics.CodeAnalysis;
using CnnNative.Vision.Datasets;

namespace CnnNative.Cli.Data;

/// <summary>Where images come from, as it is written on the command line: generated, or KIND:FOLDER.</summary>
/// <param name="Kind">generated, mnist, fashion or cifar10.</param>
/// <param name="Folder">Where the files are; empty for generated.</param>
internal sealed record DataSource(string Kind, string Folder)
{
    /// <summary>The forms, for messages.</summary>
    public const string Forms = "generated, mnist:DIR, fashion:DIR or cifar10:DIR";

    /// <summary>Digits that the program makes itself.</summary>
    public static DataSource Generated { get; } = new("generated", "");

    /// <summary>Makes the option --data.</summary>
    /// <param name="description">What it is for.</param>
    public static Option<DataSource?> Option(string description) => new("--data")
    {
        Description = description,
        HelpName = "generated|KIND:DIR",
        CustomParser = Parse,
    };

    /// <summary>Reads one of the <see cref="Forms"/>.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="source">What it means.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out DataSource? source)
    {
        var parts = text.Split(':', 2);
        source = parts switch
        {
            ["generated"] => Generated,
            ["mnist" or "fashion" or "cifar10", { Length: > 0 } folder] => new DataSource(parts[0], folder),
            _ => null,
        };
        return source is not null;
    }

    /// <summary>Reads or makes one part.</summary>
    /// <param name="split">Which part.</param>
    public ImageDataset Load(Split split) => Kind switch
    {
        "mnist" => Mnist.Load(Folder, split),
        "fashion" => FashionMnist.Load(Folder, split),
        "cifar10" => Cifar10.Load(Folder, split),
        _ => GeneratedDigits.Create(split),
    };

    /// <summary>As on the command line.</summary>
    public override string ToString() => Folder.Length == 0 ? Kind : $"{Kind}:{Folder}";

    private static DataSource? Parse(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (!TryParse(text, out var source)) result.AddError($"--data '{text}' is not {Forms}");
        return source;
    }
}
