namespace CnnNative.Engines.Native;

/// <summary>How a product C (m, n) = A B is computed: as it stands, or as C^T = B^T A^T where tiles fit that better.</summary>
/// <param name="Swapped">Whether rows of the kernel are columns of C.</param>
/// <param name="Tiles">The tiles of what the kernel computes.</param>
internal readonly record struct GemmPlan(bool Swapped, TilePlan Tiles)
{
    /// <summary>The plan of least estimated time.</summary>
    /// <param name="set">The tiles to choose from.</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Depth.</param>
    /// <param name="products">Products of this size at once.</param>
    /// <param name="multiprocessors">Of the device.</param>
    public static GemmPlan Choose(TileSet set, int m, int n, int k, int products, int multiprocessors)
    {
        var straight = TilePlan.Choose(set, m, n, k, products, multiprocessors);
        var swapped = TilePlan.Choose(set, n, m, k, products, multiprocessors);
        return swapped.Cost < straight.Cost ? new(true, swapped) : new(false, straight);
    }
}
