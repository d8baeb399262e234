namespace CnnNative.Engines.Cpu;

/// <summary>
/// How the outputs of a 3x3 convolution are cut into tiles of 4 x 4 outputs, each of 6 x 6 pixels, and the tiles into blocks of
/// consecutive rows of tiles: a pure function of the problem, so that no sum depends on the number of threads.
/// </summary>
internal readonly record struct WinogradTiles
{
    /// <summary>Outputs of a tile in a row.</summary>
    public const int Output = 4;

    /// <summary>Pixels of a tile in a row, and points.</summary>
    public const int Input = 6;

    /// <summary>Products per channel and filter of a tile.</summary>
    public const int Points = Input * Input;

    /// <summary>Fewest channels and filters that keep the arithmetic of the products long beside that of the transforms.</summary>
    private const int FewestChannels = 16;

    /// <summary>Fewest tiles, beside which transforming the filters is little.</summary>
    private const int FewestTiles = 32;

    /// <summary>Floats of the transformed pixels and outputs of a block, which with the filters stay in a second cache of 2 MiB.</summary>
    private const int BlockFloats = 1 << 18;

    private readonly int blockRows;

    public WinogradTiles(in ConvolutionProblem problem)
    {
        RowsPerImage = (problem.P + Output - 1) / Output;
        Columns = (problem.Q + Output - 1) / Output;
        Rows = problem.N * RowsPerImage;
        blockRows = Math.Clamp(BlockFloats / (Points * (problem.C + problem.K) * Columns), 1, Math.Max(1, Rows));
    }

    /// <summary>Tiles in a row.</summary>
    public int Columns { get; }

    /// <summary>Rows of tiles of an image.</summary>
    public int RowsPerImage { get; }

    /// <summary>Rows of tiles of all images.</summary>
    public int Rows { get; }

    /// <summary>Number of blocks.</summary>
    public int Blocks => (Rows + blockRows - 1) / blockRows;

    /// <summary>Most tiles in a block.</summary>
    public int MostTiles => blockRows * Columns;

    /// <summary>
    /// Distance of the matrices (rows, columns) of two points. A line more than they take: a transform writes to all 36, which
    /// must not fall on the same places of the first cache.
    /// </summary>
    public static nint PointPitch(int rows, int columns) => (nint)rows * columns + 16;

    /// <summary>Whether a problem is computed in tiles.</summary>
    public static bool Serve(in ConvolutionProblem problem)
    {
        if (problem is not { R: 3, S: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1 }) return false;
        if (Math.Min(problem.C, problem.K) < FewestChannels) return false;
        var tiles = new WinogradTiles(problem);
        return (long)tiles.Rows * tiles.Columns >= FewestTiles;
    }

    /// <summary>Most rows of tiles of one image in a block.</summary>
    public int MostRunRows => Math.Min(blockRows, RowsPerImage);

    /// <summary>The rows of tiles of a block.</summary>
    public (int First, int Last) Block(int block) => (block * blockRows, Math.Min(Rows, (block + 1) * blockRows));
}
