namespace CnnNative.Engines.Native;

/// <summary>The tiles that products are compiled for, rows by columns (native/kernels/gemm/tile.h).</summary>
internal enum TileShape
{
    Tile128x128,
    Tile64x64,
    Tile32x128,
    Tile32x32,
}

/// <summary>Facts about tiles.</summary>
internal static class TileShapes
{
    /// <summary>Numbers of the depth that a tile consumes per step.</summary>
    public const int Depth = 8;

    public static readonly TileShape[] All = Enum.GetValues<TileShape>();

    public static int Rows(this TileShape tile) => tile switch
    {
        TileShape.Tile128x128 => 128,
        TileShape.Tile64x64 => 64,
        _ => 32,
    };

    public static int Columns(this TileShape tile) => tile switch
    {
        TileShape.Tile128x128 or TileShape.Tile32x128 => 128,
        TileShape.Tile64x64 => 64,
        _ => 32,
    };

    public static int Threads(this TileShape tile) => tile == TileShape.Tile128x128 ? 256 : 64;

    /// <summary>Part of the FMA rate that reading operands from shared memory leaves, by the tile of a thread: 8x8 or 4x4, and the loads behind it.</summary>
    public static double Efficiency(this TileShape tile) => tile switch
    {
        TileShape.Tile128x128 => 0.85,
        TileShape.Tile64x64 => 0.75,
        TileShape.Tile32x128 => 0.7,
        _ => 0.45,
    };

    public static long Count(this TileShape tile, long rows, long columns) =>
        (rows + tile.Rows() - 1) / tile.Rows() * ((columns + tile.Columns() - 1) / tile.Columns());
}
