using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// How a batch of matrices is transposed; see native/kernels/layout/transpose.cu.
/// </summary>
/// <param name="Narrow">Whether the matrices have few rows or few columns, which a square tile would not fill.</param>
/// <param name="Rows">Rows of x; the short side where it is narrow.</param>
/// <param name="Columns">Columns of x; the long side where it is narrow.</param>
/// <param name="ColumnsFirst">Narrow only: whether x is (long, short).</param>
/// <param name="Launch">The grid.</param>
internal readonly record struct TransposeLaunch(bool Narrow, int Rows, int Columns, bool ColumnsFirst, LaunchConfiguration Launch)
{
    private const int NarrowLimit = 16, NarrowLength = 256, MostBatches = 65535;

    /// <summary>The launch for x of (batch, rows, columns) with elements of so many bytes.</summary>
    public static TransposeLaunch For(int batch, int rows, int columns, int elementBytes)
    {
        var batches = Math.Min(batch, MostBatches);
        var (shorter, longer) = (Math.Min(rows, columns), Math.Max(rows, columns));
        if (shorter <= NarrowLimit)
            return new(true, shorter, longer, rows > columns, new(new Dim3(Parts(longer, NarrowLength), batches), MapLaunch.Threads));
        var tile = elementBytes < 4 ? 64 : 32;
        var tiles = Index32.Of("Transpose", (long)Parts(rows, tile) * Parts(columns, tile));
        return new(false, rows, columns, false, new(new Dim3(tiles, batches), MapLaunch.Threads));
    }

    private static int Parts(int length, int part) => (length - 1) / part + 1;
}
