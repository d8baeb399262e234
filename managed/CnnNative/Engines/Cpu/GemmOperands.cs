namespace CnnNative.Engines.Cpu;

/// <summary>
/// The left factor (m, k) of a product, seen in panels of <see cref="GemmKernels.Rows"/> rows:
/// element (i, l) is at data[i / rows * panel + i % rows * row + l * step], whether packed, row-major or transposed.
/// </summary>
/// <param name="data">First element.</param>
/// <param name="panel">Distance of panels.</param>
/// <param name="row">Distance of rows within a panel.</param>
/// <param name="step">Distance of columns.</param>
internal readonly unsafe struct GemmRows(float* data, nint panel, nint row, nint step)
{
    private readonly nint panelDistance = panel;

    /// <summary>Distance of rows within a panel.</summary>
    public nint Row { get; } = row;

    /// <summary>Distance of columns.</summary>
    public nint Step { get; } = step;

    /// <summary>A matrix as it stands in memory: element (i, l) is at data[i * row + l * step].</summary>
    public static GemmRows Strided(float* data, nint row, nint step) => new(data, row * GemmKernels.Rows, row, step);

    /// <summary>A matrix packed by <see cref="Pack"/>.</summary>
    public static GemmRows Packed(float* data, int depth) => new(data, (nint)depth * GemmKernels.Rows, 1, GemmKernels.Rows);

    /// <summary>Floats that a packed matrix takes.</summary>
    public static long PackedLength(int m, int depth) => (long)Panels(m) * GemmKernels.Rows * depth;

    /// <summary>Number of panels of m rows.</summary>
    public static int Panels(int m) => (m + GemmKernels.Rows - 1) / GemmKernels.Rows;

    /// <summary>The matrix that begins so many floats further on: that of another group.</summary>
    public GemmRows Shift(nint floats) => new(data + floats, panelDistance, Row, Step);

    /// <summary>Address of element (panel * rows, l).</summary>
    public float* At(int panel, int l) => data + panel * panelDistance + l * Step;

    /// <summary>Packs all panels, in parallel.</summary>
    public GemmRows PackAll(int m, int depth, float* target, CpuThreads threads)
    {
        var self = this;
        threads.For(Panels(m), Math.Max(1, 32768 / Math.Max(1, depth * GemmKernels.Rows)), (first, last) =>
        {
            for (var panel = (int)first; panel < last; panel++) self.Pack(panel, m, depth, target);
        });
        return Packed(target, depth);
    }

    /// <summary>Packs one panel: for every l the rows of the panel side by side. Rows past m are left unset and unused.</summary>
    public void Pack(int panel, int m, int depth, float* target)
    {
        var rows = Math.Min(GemmKernels.Rows, m - panel * GemmKernels.Rows);
        var source = At(panel, 0);
        var packed = target + (long)panel * depth * GemmKernels.Rows;
        if (Step == 1)
        {
            CpuTranspose.Copy(rows, depth, source, Row, packed, GemmKernels.Rows);
            return;
        }

        for (var l = 0; l < depth; l++)
        {
            for (var i = 0; i < rows; i++) packed[l * GemmKernels.Rows + i] = source[i * Row + l * Step];
        }
    }
}

/// <summary>
/// The right factor (k, n) of a product, given in panels of columns: a matrix in memory, or one that was packed before.
/// </summary>
internal unsafe interface IGemmColumns
{
    /// <summary>Packs the panels of a group of columns one after the other, as <see cref="GemmBlock.PanelVectors"/> cuts them.</summary>
    /// <param name="first">First row.</param>
    /// <param name="depth">Number of rows.</param>
    /// <param name="column">First column.</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="packed">Room for depth floats per column, the columns rounded up to whole vectors.</param>
    void Pack(int first, int depth, int column, int columns, float* packed);

    /// <summary>A panel of a group: rows first to first + depth - 1 of the columns from the given one on.</summary>
    /// <param name="first">First row.</param>
    /// <param name="depth">Number of rows.</param>
    /// <param name="column">First column.</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="width">The columns rounded up to whole vectors: so many floats can be read in each row.</param>
    /// <param name="packed">Where <see cref="Pack"/> put the panel.</param>
    /// <param name="distance">Distance of rows.</param>
    /// <returns>The first element: packed, or in place where nothing needs to be copied.</returns>
    float* Panel(int first, int depth, int column, int columns, int width, float* packed, out nint distance);
}

/// <summary>A matrix as it stands in memory: element (l, j) is at data[l * row + j * step], where one of the distances is 1.</summary>
/// <param name="data">First element.</param>
/// <param name="row">Distance of rows.</param>
/// <param name="step">Distance of columns.</param>
/// <param name="inPlace">Whether whole vectors are read where they are: better when each panel is used only a few times.</param>
internal readonly unsafe struct MatrixColumns(float* data, nint row, nint step, bool inPlace) : IGemmColumns
{
    public void Pack(int first, int depth, int column, int columns, float* packed)
    {
        if (IsInPlace(columns, ChannelsLastBand.RoundUp(columns))) return;
        var source = data + first * row + column * step;
        if (step == 1) PackRows(source, depth, columns, packed);
        else PackColumns(source, depth, columns, packed);
    }

    public float* Panel(int first, int depth, int column, int columns, int width, float* packed, out nint distance)
    {
        var isInPlace = IsInPlace(columns, width);
        distance = isInPlace ? row : width;
        return isInPlace ? data + first * row + column : packed;
    }

    private bool IsInPlace(int columns, int width) => inPlace && step == 1 && columns == width;

    /// <summary>Row by row over all panels, so that memory is read in long runs.</summary>
    private void PackRows(float* source, int depth, int columns, float* packed)
    {
        for (var l = 0; l < depth; l++)
        {
            for (var j = 0; j < columns;)
            {
                var width = GemmBlock.PanelVectors(columns - j) * GemmKernels.Width;
                var count = Math.Min(width, columns - j);
                if (!IsInPlace(count, width)) CpuCopy.Row(source + l * row + j, packed + (nint)j * depth + l * width, count);
                j += count;
            }
        }
    }

    private void PackColumns(float* source, int depth, int columns, float* packed)
    {
        for (var j = 0; j < columns;)
        {
            var width = GemmBlock.PanelVectors(columns - j) * GemmKernels.Width;
            var count = Math.Min(width, columns - j);
            CpuTranspose.Copy(count, depth, source + j * step, step, packed + (nint)j * depth, width);
            j += count;
        }
    }
}

/// <summary>A matrix packed panel by panel, in the panels that <see cref="GemmBlock"/> asks for: in each, row after row.</summary>
/// <param name="data">First element.</param>
/// <param name="rows">Rows of the matrix.</param>
internal readonly unsafe struct PackedColumns(float* data, int rows) : IGemmColumns
{
    public void Pack(int first, int depth, int column, int columns, float* packed)
    {
    }

    public float* Panel(int first, int depth, int column, int columns, int width, float* packed, out nint distance)
    {
        distance = width;
        return data + (nint)column * rows + (nint)first * width;
    }
}
