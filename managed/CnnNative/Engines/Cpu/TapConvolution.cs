namespace CnnNative.Engines.Cpu;

/// <summary>Where results go: element (i, p, q) to target[i * filter + p * row + q * step], for p below rows, q below columns.</summary>
/// <param name="Rows">Rows of output.</param>
/// <param name="Columns">Columns of output.</param>
/// <param name="Filter">Distance of filters.</param>
/// <param name="Row">Distance of rows.</param>
/// <param name="Step">Distance of columns.</param>
internal readonly record struct TapOutput(int Rows, int Columns, nint Filter, nint Row, nint Step);

/// <summary>
/// Sums over filter taps for every output of one image and group: y (filters, rows, columns) = a (filters, taps) x, where
/// x is read through the distances of the taps from <see cref="ImagePlanes"/>. Serves the forward pass and, with the
/// gradient as the image, the data gradient.
/// </summary>
/// <param name="Filters">Number of filters.</param>
/// <param name="Depth">Number of taps, over all channels of the group.</param>
/// <param name="Pitch">Distance of rows of output in the planes.</param>
/// <param name="Output">Shape of the output and distances in it.</param>
internal readonly unsafe record struct TapConvolution(int Filters, int Depth, int Pitch, TapOutput Output)
{
    /// <summary>Taps whose image and filters stay in the first cache while a tile is computed.</summary>
    private const int MostDepth = 320;

    /// <summary>Taps from which on the arithmetic of a tile is long enough to fetch its output lines meanwhile.</summary>
    private const int DepthToAnnounce = 64;

    /// <summary>Number of tiles of outputs: rows where there is one filter.</summary>
    public int Tiles => Filters == 1 ? Output.Rows : (Length + TileLength - 1) / TileLength;

    /// <summary>Outputs of a tile of several filters.</summary>
    private static int TileLength => GemmKernels.Columns;

    /// <summary>Outputs, with those between rows that are dropped.</summary>
    private int Length => (Output.Rows - 1) * Pitch + Output.Columns;

    /// <summary>Computes some tiles of outputs of some filters.</summary>
    /// <param name="area">Filters, from the first of a panel, as rows; tiles as columns.</param>
    /// <param name="a">Filters.</param>
    /// <param name="x">Planes of the first channel, at the first output.</param>
    /// <param name="taps">Distances of the taps.</param>
    /// <param name="y">Output of the first filter.</param>
    /// <param name="epilogue">Done to every finished element.</param>
    /// <param name="scratch">Working memory.</param>
    public void Run(GemmArea area, in GemmRows a, float* x, nint* taps, float* y, in Epilogue epilogue, CpuScratch scratch)
    {
        if (Filters == 1) RunRows(area, a, x, taps, y, epilogue, scratch);
        else RunTiles(area, a, x, taps, y, epilogue, scratch);
    }

    /// <summary>Rows of one filter, each to its place where outputs lie side by side.</summary>
    private void RunRows(GemmArea area, in GemmRows a, float* x, nint* taps, float* y, in Epilogue epilogue, CpuScratch scratch)
    {
        using var aside = Output.Step == 1 ? default : scratch.Rent(Output.Columns);
        for (var row = area.FirstColumn; row < area.LastColumn; row++)
        {
            var target = y + row * Output.Row;
            var result = Output.Step == 1 ? target : aside.Pointer;
            TapRow.Multiply(Depth, a.At(0, 0), a.Step, x + row * Pitch, taps, result, Output.Columns);
            epilogue.Apply(result, 0, area.FirstRow, 1, 0, Output.Columns);
            if (Output.Step != 1) CpuCopy.Block(1, Output.Columns, result, 0, target, 0, Output.Step);
        }
    }

    private void RunTiles(GemmArea area, in GemmRows a, float* x, nint* taps, float* y, in Epilogue epilogue, CpuScratch scratch)
    {
        using var wide = scratch.Rent((long)(area.LastRow - area.FirstRow) * TileLength);
        Span<Segment> room = stackalloc Segment[TileLength];
        for (var tile = area.FirstColumn; tile < area.LastColumn; tile++)
        {
            int output = tile * TileLength, length = Math.Min(TileLength, Length - output);
            var segments = room[..FindSegments(output, length, room)];
            if (Depth >= DepthToAnnounce) Announce(area, segments, y);
            Multiply(area.FirstRow, area.LastRow, length, a, x + output, taps, wide);
            epilogue.Apply(wide, TileLength, area.FirstRow, area.LastRow - area.FirstRow, 0, length);
            foreach (var segment in segments)
            {
                float* source = wide.Pointer + segment.From, target = y + area.FirstRow * Output.Filter + segment.To;
                CpuCopy.Block(area.LastRow - area.FirstRow, segment.Length, source, TileLength, target, Output.Filter, Output.Step);
            }
        }
    }

    private void Announce(GemmArea area, ReadOnlySpan<Segment> segments, float* y)
    {
        foreach (var segment in segments)
        {
            if (Output.Step == 1) CpuCopy.Announce(area.LastRow - area.FirstRow, segment.Length, y + area.FirstRow * Output.Filter + segment.To, Output.Filter);
        }
    }

    /// <summary>Consecutive outputs of some filters, into rows of <see cref="TileLength"/>.</summary>
    private void Multiply(int firstFilter, int lastFilter, int length, in GemmRows a, float* x, nint* taps, float* wide)
    {
        if (Depth == 0) new Span<float>(wide, (lastFilter - firstFilter) * TileLength).Clear();
        var vectors = (length + GemmKernels.Width - 1) / GemmKernels.Width;
        for (var cut = 0; cut < Depth; cut += MostDepth)
        {
            var depth = Math.Min(MostDepth, Depth - cut);
            for (var row = firstFilter; row < lastFilter; row += GemmKernels.Rows)
            {
                var kernel = TapKernels.Tile(Math.Min(GemmKernels.Rows, lastFilter - row), vectors);
                var target = wide + (row - firstFilter) * TileLength;
                kernel(depth, a.At(row / GemmKernels.Rows, cut), a.Row, a.Step, x, taps + cut, target, TileLength, cut > 0);
            }
        }
    }

    /// <summary>The parts of a tile that are outputs, row by row.</summary>
    private int FindSegments(int output, int length, Span<Segment> segments)
    {
        var count = 0;
        for (var o = output; o < output + length;)
        {
            int p = o / Pitch, q = o % Pitch;
            var inside = Math.Min(Output.Columns - q, output + length - o);
            if (inside > 0) segments[count++] = new Segment(o - output, p * Output.Row + q * Output.Step, inside);
            o += Pitch - q;
        }

        return count;
    }

    /// <summary>Consecutive outputs of a row.</summary>
    private readonly record struct Segment(int From, nint To, int Length);
}
