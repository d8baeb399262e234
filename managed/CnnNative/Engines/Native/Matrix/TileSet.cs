namespace CnnNative.Engines.Native;

/// <summary>The tiles for one kind of arithmetic. Their speeds are estimates, not measured on a GPU.</summary>
internal sealed class TileSet
{
    private readonly Tile[] tiles;

    private TileSet(int stepDepth, params Tile[] tiles)
    {
        StepDepth = stepDepth;
        this.tiles = tiles;
    }

    /// <summary>fp32 on FMA units.</summary>
    public static TileSet Fma { get; } = new(
        8, new(TileShape.Fma128x128, 128, 128, 256, 0, 0.85), new(TileShape.Fma64x64, 64, 64, 64, 0, 0.75), new(TileShape.Fma32x128, 32, 128, 64, 0, 0.7),
        new(TileShape.Fma32x32, 32, 32, 64, 0, 0.45));

    /// <summary>bfloat16 and float16 on matrix units.</summary>
    public static TileSet Halves { get; } = new(
        32, new(TileShape.Mma128x128, 128, 128, 256, 69632, 5), new(TileShape.Mma64x64, 64, 64, 128, 36864, 3.5));

    /// <summary>fp32 rounded to tf32, on matrix units.</summary>
    public static TileSet Tf32 { get; } = new(
        16, new(TileShape.Mma128x128, 128, 128, 256, 69632, 2.5), new(TileShape.Mma64x64, 64, 64, 128, 36864, 1.75));

    /// <summary>bfloat16 and float16 on the matrix units of compute capability 9.0.</summary>
    public static TileSet Wgmma { get; } = new(
        OperandMap.Line, new(TileShape.Wgmma128x256, 128, 256, 384, 221312, 11), new(TileShape.Wgmma128x128, 128, 128, 384, 221312, 9),
        new(TileShape.Wgmma128x64, 128, 64, 384, 221312, 6)) { BlocksStay = true };

    /// <summary>Numbers of the depth that a tile consumes per step.</summary>
    public int StepDepth { get; }

    /// <summary>Whether a block makes one tile after the other, and fetches the operands of the next while it stores.</summary>
    public bool BlocksStay { get; private init; }

    /// <summary>Largest first.</summary>
    public ReadOnlySpan<Tile> Tiles => tiles;

    /// <summary>Steps that a depth takes.</summary>
    public int Steps(long depth) => (int)((depth + StepDepth - 1) / StepDepth);

    /// <summary>The tiles of matrix units for a data type.</summary>
    public static TileSet Mma(DType type) => type == DType.Float32 ? Tf32 : Halves;
}
