namespace CnnNative.Engines.Cpu;

/// <summary>
/// What tiles are made from: pixels, 6 x 6 to a tile, where neighbours share two rows and columns; or the gradients of outputs,
/// 4 x 4 to a tile.
/// </summary>
internal readonly unsafe struct WinogradSource
{
    private readonly WinogradTiles tiles;
    private readonly ChannelsLastBand band;
    private readonly delegate*<float*, nint, nint, float*, nint, nint, int, void> transform;
    private readonly int side;

    private WinogradSource(
        in WinogradTiles tiles, in ChannelsLastBand band, int side, delegate*<float*, nint, nint, float*, nint, nint, int, void> transform)
    {
        this.tiles = tiles;
        this.band = band;
        this.side = side;
        this.transform = transform;
    }

    /// <summary>Channels of a pixel, rounded up to whole vectors.</summary>
    public int Pitch => band.Pitch;

    /// <summary>Distance of the tiles of two points.</summary>
    public nint PointPitch => WinogradTiles.PointPitch(tiles.MostTiles, Pitch);

    /// <summary>The images of a problem, with their padding.</summary>
    public static WinogradSource Pixels(in ConvolutionProblem problem, in WinogradTiles tiles)
    {
        var columns = tiles.Columns * WinogradTiles.Output + WinogradTiles.Input - WinogradTiles.Output;
        var band = new ChannelsLastBand(problem.C, problem.H, problem.W, problem.PadTop, problem.PadLeft, problem.PaddingMode, columns);
        return new WinogradSource(tiles, band, WinogradTiles.Input, WinogradKernels.Pixels);
    }

    /// <summary>The gradients of a problem's outputs, zero beyond the edge.</summary>
    public static WinogradSource OutputGradients(in ConvolutionProblem problem, in WinogradTiles tiles)
    {
        var band = new ChannelsLastBand(problem.K, problem.P, problem.Q, 0, 0, PaddingMode.Zeros, tiles.Columns * WinogradTiles.Output);
        return new WinogradSource(tiles, band, WinogradTiles.Output, WinogradKernels.OutputGradient);
    }

    /// <summary>Room for the rows of an image from which a block is made.</summary>
    public CpuScratch.Lease RentBand(CpuScratch scratch) => scratch.Rent((tiles.MostRunRows * WinogradTiles.Output + side - WinogradTiles.Output) * band.RowPitch);

    /// <summary>Room for a block of tiles.</summary>
    public CpuScratch.Lease RentPoints(CpuScratch scratch) => scratch.Rent(WinogradTiles.Points * PointPitch);

    /// <summary>Transforms the rows of tiles from first to last - 1 of all images.</summary>
    /// <param name="images">Images (N, channels, H, W).</param>
    /// <param name="first">First row of tiles.</param>
    /// <param name="last">The row after the last.</param>
    /// <param name="room">Room for a band.</param>
    /// <param name="points">The tiles (36, tiles, pitch), from the first row on.</param>
    public void Transform(float* images, int first, int last, float* room, float* points)
    {
        for (var row = first; row < last;)
        {
            int image = row / tiles.RowsPerImage, within = row % tiles.RowsPerImage;
            var rows = Math.Min(last - row, tiles.RowsPerImage - within);
            band.Fill(images + (nint)image * band.Channels * band.H * band.W, within * WinogradTiles.Output, rows * WinogradTiles.Output + side - WinogradTiles.Output, room);
            for (var i = 0; i < rows; i++)
                TransformRow(room + i * WinogradTiles.Output * band.RowPitch, points + (nint)(row + i - first) * tiles.Columns * Pitch);
            row += rows;
        }
    }

    private void TransformRow(float* pixels, float* points)
    {
        for (var tile = 0; tile < tiles.Columns; tile++)
        {
            transform(pixels, band.RowPitch, Pitch, points, WinogradTiles.Input * PointPitch, PointPitch, Pitch);
            pixels += WinogradTiles.Output * Pitch;
            points += Pitch;
        }
    }
}
