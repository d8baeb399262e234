namespace CnnNative.Engines.Cpu;

/// <summary>How a matrix of m rows and n columns is cut into blocks that threads take: a pure function of sizes and threads.</summary>
/// <param name="M">Rows.</param>
/// <param name="N">Columns.</param>
/// <param name="PanelsPerRowBlock">Panels of rows in a block.</param>
/// <param name="PanelsPerColumnBlock">Full panels of columns in a block.</param>
internal readonly record struct GemmSplit(int M, int N, int PanelsPerRowBlock, int PanelsPerColumnBlock)
{
    /// <summary>Blocks per thread that even out the work.</summary>
    private const int BlocksPerThread = 4;

    /// <summary>Multiply-adds below which a second thread costs more than it saves: some 5 microseconds of one core.</summary>
    private const long SmallestShare = 1 << 18;

    /// <summary>Panels of rows whose slice of a, at the depth of a cut, fits a second cache of 2 MiB.</summary>
    private const int MostPanelsPerRowBlock = 128;

    /// <summary>Number of blocks.</summary>
    public int Blocks => RowBlocks * ColumnBlocks;

    private int RowBlocks => Ceiling(GemmRows.Panels(M), PanelsPerRowBlock);

    private int ColumnBlocks => Ceiling(Ceiling(N, GemmKernels.Columns), PanelsPerColumnBlock);

    /// <summary>Chooses the blocks of one of several products of the same size that run side by side.</summary>
    public static GemmSplit Choose(int m, int n, int k, int products, int threads)
    {
        int rowPanels = Math.Max(1, GemmRows.Panels(m)), columnPanels = Math.Max(1, Ceiling(n, GemmKernels.Columns));
        var wanted = threads == 1 ? 1 : (int)Math.Min(Ceiling(threads * BlocksPerThread, Math.Max(1, products)), Math.Max(1, (long)m * n * k / SmallestShare));
        var columnBlocks = Math.Min(columnPanels, wanted);
        var rowBlocks = Math.Min(rowPanels, Math.Max(Ceiling(wanted, columnBlocks), Ceiling(rowPanels, MostPanelsPerRowBlock)));
        return new GemmSplit(m, n, Ceiling(rowPanels, rowBlocks), Ceiling(columnPanels, columnBlocks));
    }

    /// <summary>The area of one block.</summary>
    public GemmArea Area(int block)
    {
        int rowStep = PanelsPerRowBlock * GemmKernels.Rows, columnStep = PanelsPerColumnBlock * GemmKernels.Columns;
        int row = block / ColumnBlocks * rowStep, column = block % ColumnBlocks * columnStep;
        return new GemmArea(row, Math.Min(M, row + rowStep), column, Math.Min(N, column + columnStep));
    }

    private static int Ceiling(int value, int divisor) => (value + divisor - 1) / divisor;
}
