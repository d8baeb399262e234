using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Products in fp32 on FMA units.</summary>
internal sealed class FmaGemm(NativeContext context) : NativeGemm(context, DType.Float32)
{
    protected override GemmPlan Plan(in GemmProduct product) =>
        GemmPlan.Choose(TileSet.Fma, product.M, product.N, product.K, product.Batch, Context.Info.Multiprocessors);

    protected override void LaunchPartial(in GemmPlan plan, in GemmProduct product, DevicePointer partial) =>
        Launch(plan, product, partial, default, Epilogues.None);

    protected override void Launch(in GemmPlan plan, in GemmProduct product, DevicePointer c, in GemmBias bias, Epilogue epilogue)
    {
        // The transpose of an operand is the same memory, meant the other way round.
        var (a, b) = (product.A, product.B);
        var (first, second) = plan.Swapped ? (b with { Transposed = !b.Transposed }, a with { Transposed = !a.Transposed }) : (a, b);
        var (rows, columns) = plan.Swapped ? (product.N, product.M) : (product.M, product.N);
        var wide = Alignment.Wide(c, product.N, Type) != 0;
        var problem = new GemmProblem
        {
            M = rows, N = columns, K = product.K, PitchA = first.Pitch, PitchB = second.Pitch, WideA = first.Wide(Type), WideB = second.Wide(Type),
            WideC = (int)(!wide ? WideStore.None : plan.Swapped ? WideStore.Rows : WideStore.Columns),
            RowStride = plan.Swapped ? 1 : product.N, ColumnStride = plan.Swapped ? product.N : 1,
            BatchA = first.Batch, BatchB = second.Batch, BatchC = (long)product.M * product.N,
        };
        Context.Kernels.Sgemm(
            TileKernels.Sgemm(first.Transposed, second.Transposed, plan.Tiles.Tile.Shape), plan.Tiles.Launch(rows, columns, product.Batch), first.Pointer,
            second.Pointer, plan.Swapped ? bias.PerColumn : bias.PerRow, plan.Swapped ? bias.PerRow : bias.PerColumn, c, problem,
            plan.Tiles.Depth(product.Count), epilogue);
    }
}
