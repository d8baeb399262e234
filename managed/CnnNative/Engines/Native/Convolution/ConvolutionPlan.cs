namespace CnnNative.Engines.Native;

/// <summary>Ways to compute a convolution.</summary>
internal enum ConvolutionAlgorithm
{
    /// <summary>One product, the patches gathered as they are needed. Computes everything.</summary>
    ImplicitGemm,

    /// <summary>A product of matrices that are there already: 1x1 filters, one group.</summary>
    Pointwise,

    /// <summary>Channel by channel, rows in registers: as many groups as channels.</summary>
    Depthwise,

    /// <summary>All filters of a pixel in one thread: few filters per group.</summary>
    Direct,

    /// <summary>Patches written to memory (im2col), then a product. Never chosen: the way to compare with and to learn from. One group.</summary>
    Columns,
}

/// <summary>The passes of a convolution.</summary>
internal enum ConvolutionPass
{
    Forward,
    BackwardData,
    BackwardWeight,
}

/// <summary>Which algorithm computes a pass. A pure function of the problem, the layouts and the number of multiprocessors.</summary>
internal static class ConvolutionPlan
{
    /// <summary>What gathering patches costs the implicit product, against one that reads matrices.</summary>
    private const double GatherCost = 1.25;

    /// <summary>Filters up to which a product on matrix units that reads whole units leaves too much of a tile empty.</summary>
    private const int FewOfUnits = 4;

    /// <summary>Depth of a sum up to which such a product does not catch up with a direct one of few filters.</summary>
    private const int ShortDepth = 512;

    /// <summary>Most blocks in the third dimension of a grid, and so images of a batched product.</summary>
    private const int MostLayers = 65535;

    /// <summary>The algorithm for a pass.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="type">Data type.</param>
    /// <param name="tf32">Whether fp32 is to be computed on matrix units, rounded to tf32.</param>
    /// <param name="x">Layout of the input.</param>
    /// <param name="y">Layout of the output.</param>
    /// <param name="multiprocessors">Of the device.</param>
    public static ConvolutionAlgorithm Choose(
        in ConvolutionProblem problem, ConvolutionPass pass, DType type, bool tf32, Layout x, Layout y, int multiprocessors)
    {
        if (Supports(ConvolutionAlgorithm.Depthwise, problem, pass, type, x, y)) return ConvolutionAlgorithm.Depthwise;
        if (DirectPays(problem, pass, type, tf32, x, y, multiprocessors)) return ConvolutionAlgorithm.Direct;
        return !tf32 && Supports(ConvolutionAlgorithm.Pointwise, problem, pass, type, x, y) && PointwisePays(problem, pass, type, x, multiprocessors)
            ? ConvolutionAlgorithm.Pointwise
            : ConvolutionAlgorithm.ImplicitGemm;
    }

    /// <summary>Whether an algorithm can compute a pass at all.</summary>
    public static bool Supports(
        ConvolutionAlgorithm algorithm, in ConvolutionProblem problem, ConvolutionPass pass, DType type, Layout x, Layout y) => algorithm switch
    {
        ConvolutionAlgorithm.ImplicitGemm => true,
        ConvolutionAlgorithm.Depthwise => problem.IsDepthwise && x == y,
        ConvolutionAlgorithm.Pointwise =>
            problem.IsPointwise && problem.Groups == 1 && x == y && (x == Layout.Nhwc || problem.N <= MostLayers),
        ConvolutionAlgorithm.Direct => DirectConvolution.CanDo(problem, pass, type, x, y),
        ConvolutionAlgorithm.Columns => problem.Groups == 1 && x == y,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "unknown algorithm"),
    };

    /// <summary>Matrix units make up for a tile that is mostly empty, unless it is nearly so.</summary>
    private static bool DirectPays(in ConvolutionProblem problem, ConvolutionPass pass, DType type, bool tf32, Layout x, Layout y, int multiprocessors)
    {
        var (written, read) = pass == ConvolutionPass.BackwardData ? (problem.C, problem.K) : (problem.K, problem.C);
        var most = type == DType.Float32 && !tf32 ? DirectPlan.MostFilters
            : MmaConvolution.ReadsUnits(problem, pass, type, x, y) && (tf32 || pass == ConvolutionPass.BackwardWeight || !IsShort(problem, read)) ? FewOfUnits
            : MmaDirectPlan.MostFilters;
        return written / problem.Groups <= most && DirectConvolution.CanDo(problem, pass, type, x, y, multiprocessors);
    }

    /// <summary>Whether sums are short, of windows that read what is staged more than once.</summary>
    private static bool IsShort(in ConvolutionProblem problem, int channels) => problem.R * problem.S is > 1 and var taps && channels / problem.Groups * taps <= ShortDepth;

    /// <summary>
    /// NHWC is one product. In NCHW every image is a product of its own, whose tiles small images do not fill. Halves are to be read in
    /// units of 16 bytes, lines of channels or of pixels; the implicit product does not read NCHW so, but copies it.
    /// </summary>
    private static bool PointwisePays(in ConvolutionProblem problem, ConvolutionPass pass, DType type, Layout layout, int multiprocessors)
    {
        int unit = type == DType.Float32 ? 1 : 16 / type.Size(), pixels = problem.H * problem.W;
        if (layout == Layout.Nhwc) return problem.C % unit == 0 && problem.K % unit == 0;
        if (pass == ConvolutionPass.BackwardWeight) return type != DType.Float32 && pixels % unit == 0 && SumsOfImagesPay(problem);
        if (problem.C % unit != 0 || pixels % unit != 0) return false;
        var tiles = type == DType.Float32 ? TileSet.Fma : TileSet.Mma(type);
        var (rows, depth) = pass == ConvolutionPass.Forward ? (problem.K, problem.C) : (problem.C, problem.K);
        var batched = TilePlan.Choose(tiles, rows, pixels, depth, problem.N, multiprocessors).Cost;
        return batched <= GatherCost * TilePlan.Choose(tiles, rows, (long)pixels * problem.N, depth, 1, multiprocessors).Cost;
    }

    /// <summary>Whether sums of fp32 per image, (K, C), written and read, are fewer bytes than copies of x and dy in halves, and have room.</summary>
    private static bool SumsOfImagesPay(in ConvolutionProblem problem)
    {
        long sums = (long)problem.K * problem.C * sizeof(float), images = (long)(problem.K + problem.C) * problem.H * problem.W * sizeof(ushort);
        return sums <= images && sums * problem.N <= TilePlan.MostPartialBytes;
    }
}
