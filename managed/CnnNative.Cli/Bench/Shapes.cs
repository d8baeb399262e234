using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CnnNative.Cli.Bench;

/// <summary>The shapes that are measured; the file stands beside the benches, where the peers read it too.</summary>
internal sealed record Shapes(
    IReadOnlyList<ConvolutionShape> Convolutions, IReadOnlyList<PoolShape> Pools, IReadOnlyList<AdaptivePoolShape> AdaptiveAveragePools,
    IReadOnlyList<NormShape> BatchNorms, IReadOnlyList<ElementwiseShape> Elementwise, IReadOnlyList<LinearShape> Linears, IReadOnlyList<LossShape> Losses)
{
    /// <summary>Reads the shapes that the program was built with.</summary>
    public static Shapes Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("shapes.json")!;
        return JsonSerializer.Deserialize(stream, ShapesContext.Default.Shapes)!;
    }
}

/// <summary>x (n, c, h, w) * w (k, c / groups, r, s).</summary>
internal sealed record ConvolutionShape(string Name, int N, int C, int H, int W, int K, int R, int S, int Stride = 1, int Pad = 0, int Groups = 1);

/// <summary>Windows of r x r over (n, c, h, w).</summary>
internal sealed record PoolShape(string Name, int N, int C, int H, int W, int R, int Stride, int Pad = 0);

/// <summary>(n, c, h, w) to (n, c, p, q).</summary>
internal sealed record AdaptivePoolShape(string Name, int N, int C, int H, int W, int P, int Q);

/// <summary>(n, c, h, w).</summary>
internal sealed record NormShape(string Name, int N, int C, int H, int W);

/// <summary>So many elements.</summary>
internal sealed record ElementwiseShape(string Name, int Count);

/// <summary>(n, in) by (out, in).</summary>
internal sealed record LinearShape(string Name, int N, int In, int Out);

/// <summary>Scores (n, c).</summary>
internal sealed record LossShape(string Name, int N, int C);

/// <summary>A reader made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Shapes))]
internal sealed partial class ShapesContext : JsonSerializerContext;
