namespace CnnNative.Engines.Cpu;

/// <summary>
/// The transformed filters of a convolution in tiles: for each of the 36 points a matrix (depth, columns) packed for
/// <see cref="GemmBlock"/>. Forward, depth counts channels and columns filters; for the data gradient it is the other way round
/// and the taps are turned by half a circle.
/// </summary>
internal readonly unsafe struct WinogradFilters
{
    private const int Taps = 9;

    private readonly float* points;
    private readonly int depth, columns, pitch;
    private readonly bool turned;

    /// <summary>The transformed filters of a problem.</summary>
    /// <param name="filters">K of w.</param>
    /// <param name="channels">C of w.</param>
    /// <param name="turned">Whether they serve the data gradient.</param>
    /// <param name="room">Working memory for <see cref="Floats"/>.</param>
    public WinogradFilters(int filters, int channels, bool turned, float* room)
    {
        points = room;
        this.turned = turned;
        (depth, columns) = turned ? (filters, channels) : (channels, filters);
        pitch = ChannelsLastBand.RoundUp(columns);
    }

    private nint PointPitch => WinogradTiles.PointPitch(depth, pitch);

    /// <summary>Floats of the transformed filters.</summary>
    public static long Floats(int filters, int channels, bool turned) => WinogradTiles.Points * (turned
        ? WinogradTiles.PointPitch(filters, ChannelsLastBand.RoundUp(channels))
        : WinogradTiles.PointPitch(channels, ChannelsLastBand.RoundUp(filters)));

    /// <summary>The matrix of a point.</summary>
    public PackedColumns At(int point) => new(points + point * PointPitch, depth);

    /// <summary>Transforms w (K, C, 3, 3).</summary>
    public void Transform(float* w, CpuThreads threads, CpuScratch scratch)
    {
        var self = this;
        threads.For(depth, Math.Max(1, 4096 / pitch), (first, last) =>
        {
            var rows = (int)(last - first);
            using var taps = scratch.Rent((long)rows * Taps * self.pitch);
            self.SpreadTaps(w, (int)first, rows, taps);
            for (var l = 0; l < rows; l++) self.TransformRow(taps.Pointer + (nint)l * Taps * self.pitch, (int)first + l);
        });
    }

    /// <summary>Brings what will be columns side by side: (rows, taps, pitch).</summary>
    private void SpreadTaps(float* w, int first, int rows, float* taps)
    {
        if (!turned)
        {
            CpuTranspose.Copy(columns, rows * Taps, w + (nint)first * Taps, (nint)depth * Taps, taps, pitch);
            return;
        }

        for (var l = 0; l < rows; l++)
            CpuTranspose.Copy(columns, Taps, w + (nint)(first + l) * columns * Taps, Taps, taps + (nint)l * Taps * pitch, pitch);
    }

    private void TransformRow(float* taps, int row)
    {
        for (var column = 0; column < pitch;)
        {
            var width = GemmBlock.PanelVectors(pitch - column) * GemmKernels.Width;
            var target = points + (nint)column * depth + (nint)row * width;
            if (turned) WinogradKernels.Filter(taps + (Taps - 1) * pitch + column, -3 * pitch, -pitch, target, WinogradTiles.Input * PointPitch, PointPitch, width);
            else WinogradKernels.Filter(taps + column, 3 * pitch, pitch, target, WinogradTiles.Input * PointPitch, PointPitch, width);
            column += width;
        }
    }
}
