namespace CnnNative.Engines.Native;

/// <summary>The tiles that products are compiled for, rows by columns: on FMA units (native/kernels/gemm/tile.h), on matrix units (mma_tile.h), and on those of compute capability 9.0 (wgmma_tile.h).</summary>
internal enum TileShape
{
    Fma128x128,
    Fma64x64,
    Fma32x128,
    Fma32x32,
    Mma128x128,
    Mma64x64,
    Wgmma128x256,
    Wgmma128x128,
    Wgmma128x64,
}

/// <summary>Facts about a tile.</summary>
/// <param name="Shape">Which it is.</param>
/// <param name="Rows">Rows of the product.</param>
/// <param name="Columns">Columns of the product.</param>
/// <param name="Threads">Threads of a block.</param>
/// <param name="SharedBytes">Dynamic shared memory of a block.</param>
/// <param name="Speed">Multiply-adds in the time of one on FMA units, after what reading operands from shared memory takes.</param>
internal readonly record struct Tile(TileShape Shape, int Rows, int Columns, int Threads, int SharedBytes, double Speed)
{
    /// <summary>Tiles of a product.</summary>
    public long Count(long rows, long columns) => (rows + Rows - 1) / Rows * ((columns + Columns - 1) / Columns);
}
