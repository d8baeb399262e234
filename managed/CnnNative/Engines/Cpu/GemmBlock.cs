using System.Runtime.CompilerServices;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// A block of a product c = a b on one thread, after Goto and van de Geijn, "Anatomy of high-performance matrix
/// multiplication" (2008): a few panels of b stay close to the core while the panels of a stream past them.
/// The sums are cut at the same depths whatever the block, so that every element is computed the same way in any block.
/// </summary>
internal static unsafe class GemmBlock
{
    /// <summary>
    /// Depth of a cut. A panel of b, 48 columns in AVX-512, then takes 96 KiB and streams from the second cache, which costs
    /// less than adding to c more often.
    /// </summary>
    private const int MostDepth = 512;

    /// <summary>Panels that are packed together: rows of b are then read in runs that are long enough for the processor to foresee.</summary>
    private const int MostPanels = 8;

    /// <summary>Floats of the panels that are packed together, a part of the second cache.</summary>
    private const int MostGroup = 1 << 16;

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
        using var packed = scratch.Rent(MostGroup + MostDepth * GemmKernels.Width);
        var cuts = Math.Max(1, (depth + MostDepth - 1) / MostDepth);
        for (var cut = 0; cut < cuts; cut++)
        {
            int first = (int)((long)depth * cut / cuts), last = (int)((long)depth * (cut + 1) / cuts);
            var finish = cut == cuts - 1 ? epilogue : default;
            for (var column = area.FirstColumn; column < area.LastColumn;)
            {
                var columns = GroupColumns(last - first, area.LastColumn - column);
                b.Pack(first, last - first, column, columns, packed);
                var group = area with { FirstColumn = column, LastColumn = column + columns };
                MultiplyGroup(a, b, first, last - first, group, packed, c, cRow, finish, accumulate || cut > 0);
                column += columns;
            }
        }
    }

    /// <summary>Multiplies all rows with the panels of a group: row by row, so that c is written in long runs too.</summary>
    private static void MultiplyGroup<TColumns>(
        in GemmRows a, in TColumns b, int first, int depth, GemmArea group, float* packed, float* c, nint cRow, in Epilogue epilogue, bool accumulate)
        where TColumns : struct, IGemmColumns
    {
        for (var row = group.FirstRow; row < group.LastRow; row += GemmKernels.Rows)
        {
            var rows = Math.Min(GemmKernels.Rows, group.LastRow - row);
            for (var column = group.FirstColumn; column < group.LastColumn;)
            {
                var vectors = PanelVectors(group.LastColumn - column);
                var columns = Math.Min(vectors * GemmKernels.Width, group.LastColumn - column);
                var own = packed + (nint)(column - group.FirstColumn) * depth;
                var panel = b.Panel(first, depth, column, columns, vectors * GemmKernels.Width, own, out var step);
                var tile = c + row * cRow + column;
                Tile(depth, a, row, first, rows, panel, step, columns, vectors, tile, cRow, accumulate);
                epilogue.Apply(tile, cRow, row, rows, column, columns);
                column += columns;
            }
        }
    }

    /// <summary>
    /// Columns of the next group: whole panels as far as they fit the room, and a last vector with them, so that panels are cut
    /// the same way whatever the groups.
    /// </summary>
    private static int GroupColumns(int depth, int columns)
    {
        var most = Math.Clamp(MostGroup / Math.Max(1, depth * GemmKernels.Columns), 1, MostPanels) * GemmKernels.Columns;
        return columns <= most + GemmKernels.Width ? columns : most;
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
