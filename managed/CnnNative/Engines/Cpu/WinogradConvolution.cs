namespace CnnNative.Engines.Cpu;

/// <summary>
/// A 3x3 convolution of stride 1 in tiles of 4 x 4 outputs, F(4x4, 3x3) of Lavin and Gray, "Fast algorithms for convolutional
/// neural networks" (2016): pixels and filters become polynomials evaluated in 36 points, so that a tile takes 36 products per
/// channel and filter instead of 144. For every point the products are one matrix product (tiles, C) x (C, K); a block of tiles
/// stays in the second cache from its pixels to its outputs. All transforms run with the channels side by side.
/// The error against exact arithmetic is about twice that of summing the 9 C products one by one; an input that is not finite
/// makes its whole tile not finite, not its window alone.
/// </summary>
internal sealed unsafe class WinogradConvolution
{
    private readonly ConvolutionProblem problem;
    private readonly CpuScratch scratch;
    private readonly WinogradTiles tiles;
    private readonly WinogradSource pixels;
    private readonly ChannelsLastBand outputs;
    private readonly nint productPitch;

    private WinogradConvolution(in ConvolutionProblem problem, CpuScratch scratch)
    {
        this.problem = problem;
        this.scratch = scratch;
        tiles = new WinogradTiles(problem);
        pixels = WinogradSource.Pixels(problem, tiles);
        outputs = new ChannelsLastBand(problem.K, problem.P, problem.Q, 0, 0, PaddingMode.Zeros, tiles.Columns * WinogradTiles.Output);
        productPitch = WinogradTiles.PointPitch(tiles.MostTiles, outputs.Pitch);
    }

    /// <summary>y = epilogue(x * w).</summary>
    public static void Forward(in ConvolutionProblem problem, float* x, float* w, float* y, Epilogue epilogue, CpuThreads threads, CpuScratch scratch) =>
        Run(problem, turned: false, x, w, y, epilogue, threads, scratch);

    /// <summary>dx, as the convolution of dy with the turned filters.</summary>
    public static void DataGradient(in ConvolutionProblem problem, float* dy, float* w, float* dx, CpuThreads threads, CpuScratch scratch) =>
        Run(GradientProblem(problem), turned: true, dy, w, dx, default, threads, scratch);

    /// <summary>Whether a data gradient is computed in tiles: the padding of dy must not be negative.</summary>
    public static bool ServesDataGradient(in ConvolutionProblem problem) =>
        Math.Max(Math.Max(problem.PadTop, problem.PadBottom), Math.Max(problem.PadLeft, problem.PadRight)) < 3
        && WinogradTiles.Serve(GradientProblem(problem));

    private static ConvolutionProblem GradientProblem(in ConvolutionProblem problem) => problem with
    {
        C = problem.K,
        H = problem.P,
        W = problem.Q,
        K = problem.C,
        PadTop = problem.R - 1 - problem.PadTop,
        PadBottom = problem.R - 1 - problem.PadBottom,
        PadLeft = problem.S - 1 - problem.PadLeft,
        PadRight = problem.S - 1 - problem.PadRight,
        PaddingMode = PaddingMode.Zeros,
    };

    private static void Run(
        in ConvolutionProblem problem, bool turned, float* x, float* w, float* y, Epilogue epilogue, CpuThreads threads, CpuScratch scratch)
    {
        var (filters, channels) = turned ? (problem.C, problem.K) : (problem.K, problem.C);
        using var room = scratch.Rent(WinogradFilters.Floats(filters, channels, turned));
        var transformed = new WinogradFilters(filters, channels, turned, room);
        transformed.Transform(w, threads, scratch);
        var convolution = new WinogradConvolution(problem, scratch);
        threads.For(convolution.tiles.Blocks, 1, (first, last) => convolution.RunBlocks((int)first, (int)last, x, transformed, y, epilogue.Transposed()));
    }

    private void RunBlocks(int firstBlock, int lastBlock, float* x, in WinogradFilters filters, float* y, in Epilogue epilogue)
    {
        using var band = pixels.RentBand(scratch);
        using var points = pixels.RentPoints(scratch);
        using var products = scratch.Rent(WinogradTiles.Points * productPitch);
        using var result = scratch.Rent(WinogradTiles.Output * outputs.RowPitch);
        for (var block = firstBlock; block < lastBlock; block++)
        {
            var (first, last) = tiles.Block(block);
            pixels.Transform(x, first, last, band, points);
            Multiply((last - first) * tiles.Columns, points, filters, products);
            for (var row = first; row < last; row++) Finish(row, products.Pointer + (nint)(row - first) * tiles.Columns * outputs.Pitch, result, y, epilogue);
        }
    }

    /// <summary>For every point: products (count, K) = points (count, C) x filters (C, K).</summary>
    private void Multiply(int count, float* points, in WinogradFilters filters, float* products)
    {
        var area = new GemmArea(0, count, 0, outputs.Pitch);
        for (var point = 0; point < WinogradTiles.Points; point++)
        {
            var a = GemmRows.Strided(points + point * pixels.PointPitch, pixels.Pitch, 1);
            GemmBlock.Multiply(a, filters.At(point), problem.C, area, products + point * productPitch, outputs.Pitch, default, scratch);
        }
    }

    /// <summary>Outputs of a row of tiles.</summary>
    private void Finish(int row, float* products, float* result, float* y, in Epilogue epilogue)
    {
        for (var tile = 0; tile < tiles.Columns; tile++)
        {
            WinogradKernels.Output(
                products + (nint)tile * outputs.Pitch, WinogradTiles.Input * productPitch, productPitch,
                result + (nint)tile * WinogradTiles.Output * outputs.Pitch, outputs.RowPitch, outputs.Pitch, outputs.Pitch);
        }

        int image = row / tiles.RowsPerImage, firstRow = row % tiles.RowsPerImage * WinogradTiles.Output;
        epilogue.Apply(result, outputs.Pitch, 0, WinogradTiles.Output * outputs.Columns, 0, problem.K);
        outputs.Empty(result, y + (nint)image * problem.K * problem.P * problem.Q, firstRow, WinogradTiles.Output);
    }
}
