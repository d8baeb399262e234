using System.Runtime.CompilerServices;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// A block of a product c = a b on one thread, after Goto and van de Geijn, "Anatomy of high-performance matrix
/// multiplication" (2008): a panel of b stays close to the core while the panels of a stream past it.
/// The sums are cut at the same depths whatever the block, so that every element is computed the same way in any block.
/// </summary>
internal static unsafe class GemmBlock
{
    /// <summary>
    /// Depth of a cut. A panel of b, 48 columns in AVX-512, then takes 96 KiB and streams from the second cache, which costs
    /// less than adding to c more often.
    /// </summary>
    private const int MostDepth = 512;

    /// <summary>Computes c for rows from panel firstPanel on and columns from firstColumn on.</summary>
    /// <param name="a">Left factor.</param>
    /// <param name="b">Right factor.</param>
    /// <param name="depth">Length of the sums; 0 gives zeros before the epilogue.</param>
    /// <param name="area">Rows and columns.</param>
    /// <param name="c">Element (0, 0) of the result.</param>
    /// <param name="cRow">Distance of rows of c.</param>
    /// <param name="epilogue">Done to every finished element.</param>
    /// <param name="scratch">Working memory.</param>
    /// <param name="accumulate">Whether to add to what c holds.</param>
    public static void Multiply<TColumns>(
        in GemmRows a, in TColumns b, int depth, GemmArea area, float* c, nint cRow, in Epilogue epilogue, CpuScratch scratch,
        bool accumulate = false)
        where TColumns : struct, IGemmColumns
    {
        using var lease = scratch.Rent(MostDepth * GemmKernels.Columns);
        var cuts = Math.Max(1, (depth + MostDepth - 1) / MostDepth);
        for (var cut = 0; cut < cuts; cut++)
        {
            int first = (int)((long)depth * cut / cuts), last = (int)((long)depth * (cut + 1) / cuts);
            for (var column = area.FirstColumn; column < area.LastColumn;)
            {
                var vectors = PanelVectors(area.LastColumn - column);
                var columns = Math.Min(vectors * GemmKernels.Width, area.LastColumn - column);
                var panel = b.Panel(first, last - first, column, columns, vectors * GemmKernels.Width, lease, out var step);
                for (var row = area.FirstRow; row < area.LastRow; row += GemmKernels.Rows)
                {
                    var rows = Math.Min(GemmKernels.Rows, area.LastRow - row);
                    var tile = c + row * cRow + column;
                    Tile(last - first, a, row, first, rows, panel, step, columns, vectors, tile, cRow, accumulate || cut > 0);
                    if (cut == cuts - 1) epilogue.Apply(tile, cRow, row, rows, column, columns);
                }

                column += columns;
            }
        }
    }

    /// <summary>Vectors in the next panel of so many columns: three, but two and two rather than three and one.</summary>
    public static int PanelVectors(int columns)
    {
        var vectors = (columns + GemmKernels.Width - 1) / GemmKernels.Width;
        return vectors == GemmTile.MostVectors + 1 ? 2 : Math.Min(vectors, GemmTile.MostVectors);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tile(
        int depth, in GemmRows a, int row, int first, int rows, float* b, nint bStep, int columns, int vectors, float* c, nint cRow, bool accumulate)
    {
        CpuCopy.Announce(rows, columns, c, cRow);
        var kernel = GemmKernels.Tile(rows, vectors);
        var left = a.At(row / GemmKernels.Rows, first);
        if (columns == vectors * GemmKernels.Width) kernel(depth, left, a.Row, a.Step, b, bStep, c, cRow, accumulate);
        else EdgeTile(kernel, depth, left, a, rows, b, bStep, columns, c, cRow, accumulate);
    }

    /// <summary>A tile whose last vector hangs over the edge of c: computed aside, and the part inside copied.</summary>
    private static void EdgeTile(
        delegate*<int, float*, nint, nint, float*, nint, float*, nint, bool, void> kernel,
        int depth, float* left, in GemmRows a, int rows, float* b, nint bStep, int columns, float* c, nint cRow, bool accumulate)
    {
        var aside = stackalloc float[GemmKernels.Rows * GemmKernels.Columns];
        kernel(depth, left, a.Row, a.Step, b, bStep, aside, GemmKernels.Columns, false);
        for (var i = 0; i < rows; i++)
        {
            float* source = aside + i * GemmKernels.Columns, target = c + i * cRow;
            if (accumulate)
            {
                for (var j = 0; j < columns; j++) target[j] += source[j];
            }
            else
            {
                CpuCopy.Row(source, target, columns);
            }
        }
    }
}

/// <summary>A block of a matrix. The first row is the first of a panel.</summary>
/// <param name="FirstRow">First row.</param>
/// <param name="LastRow">The row after the last.</param>
/// <param name="FirstColumn">First column.</param>
/// <param name="LastColumn">The column after the last.</param>
internal readonly record struct GemmArea(int FirstRow, int LastRow, int FirstColumn, int LastColumn);
