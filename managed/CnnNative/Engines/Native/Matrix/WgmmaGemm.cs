using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Products of halves on the matrix units of compute capability 9.0, fed by its copy engine.</summary>
/// <param name="context">The device and its kernels.</param>
/// <param name="type">The type of operands and results.</param>
/// <param name="blocks">Blocks that run at a time: one per multiprocessor.</param>
internal sealed class WgmmaGemm(NativeContext context, DType type, int blocks)
{
    /// <summary>
    /// Whether there is a kernel for a product: whole units of 16 bytes for the copy engine, something in every dimension, and not both operands
    /// transposed, which nothing in a network asks for.
    /// </summary>
    public static bool CanDo(in GemmProduct product, DType type) =>
        OperandMap.Knows(type) && MmaGemm.ReadsUnits(product, type) && product is { Batch: > 0, M: > 0, N: > 0, K: > 0 } && !(product.A.Transposed && product.B.Transposed);

    /// <summary>How a product is divided over blocks.</summary>
    public static TilePlan Plan(in GemmProduct product, int multiprocessors) =>
        TilePlan.Choose(TileSet.Wgmma, product.M, product.N, product.K, product.Batch, multiprocessors);

    /// <summary>Puts a product, or with <paramref name="partial"/> the sums of its splits, into the stream.</summary>
    public void Launch(in TilePlan plan, in GemmProduct product, in GemmProblem problem, in GemmBias bias, DevicePointer c, DevicePointer partial, Epilogue epilogue)
    {
        var (a, b, tile) = (product.A, product.B, plan.Tile);
        var launch = plan.Resident(product.M, product.N, product.Batch, blocks, out var tiles);
        var first = a.Transposed
            ? OperandMap.Matrix(context, type, a, product.M, product.K, product.Batch, OperandMap.Line)
            : OperandMap.Matrix(context, type, a, product.K, product.M, product.Batch, tile.Rows);
        var second = b.Transposed
            ? OperandMap.Matrix(context, type, b, product.K, product.N, product.Batch, tile.Columns)
            : OperandMap.Matrix(context, type, b, product.N, product.K, product.Batch, OperandMap.Line);
        context.Kernels.WgmmaGemm(
            TileKernels.WgmmaGemm(type, a.Transposed, b.Transposed, tile.Shape), launch, first, second, bias.PerRow, bias.PerColumn, c, partial, problem,
            plan.Depth(product.Count), epilogue, tiles);
    }
}
