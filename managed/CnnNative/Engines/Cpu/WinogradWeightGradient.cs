namespace CnnNative.Engines.Cpu;

/// <summary>
/// The gradient of a 3x3 convolution by its filters in tiles, F(3x3, 4x4): for every point a matrix product
/// (C, tiles) x (tiles, K) of the transformed pixels and gradients of outputs, summed over all tiles before the way back.
/// The tiles go block by block: all threads transform some of a block's rows, then multiply for some of the points, so that every
/// sum has one order whatever the number of threads.
/// </summary>
internal sealed unsafe class WinogradWeightGradient
{
    private const int Taps = 9;

    private readonly ConvolutionProblem problem;
    private readonly CpuThreads threads;
    private readonly CpuScratch scratch;
    private readonly WinogradTiles tiles;
    private readonly WinogradSource pixels, gradients;
    private readonly nint sumPitch;

    private WinogradWeightGradient(in ConvolutionProblem problem, CpuThreads threads, CpuScratch scratch)
    {
        this.problem = problem;
        this.threads = threads;
        this.scratch = scratch;
        tiles = new WinogradTiles(problem);
        pixels = WinogradSource.Pixels(problem, tiles);
        gradients = WinogradSource.OutputGradients(problem, tiles);
        sumPitch = WinogradTiles.PointPitch(problem.C, gradients.Pitch);
    }

    /// <summary>Computes dw.</summary>
    public static void Run(in ConvolutionProblem problem, float* x, float* dy, float* dw, CpuThreads threads, CpuScratch scratch) =>
        new WinogradWeightGradient(problem, threads, scratch).Run(x, dy, dw);

    private void Run(float* x, float* dy, float* dw)
    {
        using var xPoints = pixels.RentPoints(scratch);
        using var dyPoints = gradients.RentPoints(scratch);
        using var sums = scratch.Rent(WinogradTiles.Points * sumPitch);
        for (var block = 0; block < tiles.Blocks; block++)
        {
            var (first, last) = tiles.Block(block);
            Transform(x, dy, first, last, xPoints, dyPoints);
            AddProducts((last - first) * tiles.Columns, xPoints, dyPoints, sums, accumulate: block > 0);
        }

        Finish(sums, dw);
    }

    private void Transform(float* x, float* dy, int first, int last, float* xPoints, float* dyPoints)
    {
        threads.For(last - first, 1, (from, to) =>
        {
            using var xBand = pixels.RentBand(scratch);
            using var dyBand = gradients.RentBand(scratch);
            int begin = first + (int)from, end = first + (int)to;
            pixels.Transform(x, begin, end, xBand, xPoints + (nint)from * tiles.Columns * pixels.Pitch);
            gradients.Transform(dy, begin, end, dyBand, dyPoints + (nint)from * tiles.Columns * gradients.Pitch);
        });
    }

    /// <summary>For every point: sums (C, K) += the transposed x (count, C) times dy (count, K).</summary>
    private void AddProducts(int count, float* x, float* dy, float* sums, bool accumulate)
    {
        var area = new GemmArea(0, problem.C, 0, gradients.Pitch);
        threads.For(WinogradTiles.Points, 1, (first, last) =>
        {
            for (var point = first; point < last; point++)
            {
                var a = GemmRows.Strided(x + (nint)point * pixels.PointPitch, 1, pixels.Pitch);
                var b = new MatrixColumns(dy + (nint)point * gradients.PointPitch, gradients.Pitch, 1, inPlace: true);
                GemmBlock.Multiply(a, b, count, area, sums + (nint)point * sumPitch, gradients.Pitch, default, scratch, accumulate);
            }
        });
    }

    /// <summary>Transforms the sums back and turns (C, 3, 3, K) into dw (K, C, 3, 3).</summary>
    private void Finish(float* sums, float* dw)
    {
        nint pitch = gradients.Pitch;
        threads.For(problem.C, Math.Max(1, 4096 / pitch), (first, last) =>
        {
            var channels = (int)(last - first);
            using var taps = scratch.Rent(channels * Taps * pitch);
            for (var c = 0; c < channels; c++)
            {
                WinogradKernels.FilterGradient(
                    sums + (nint)(first + c) * pitch, WinogradTiles.Input * sumPitch, sumPitch, taps.Pointer + c * Taps * pitch, 3 * pitch, pitch, (int)pitch);
            }

            CpuTranspose.Copy(channels * Taps, problem.K, taps, pitch, dw + (nint)first * Taps, (nint)problem.C * Taps);
        });
    }
}
