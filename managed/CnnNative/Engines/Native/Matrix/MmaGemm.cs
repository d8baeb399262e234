using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Products on matrix units: bfloat16, float16, or fp32 rounded to tf32. Halves go to <see cref="WgmmaGemm"/> where the device has that and it pays.</summary>
internal sealed class MmaGemm(NativeContext context, DType type) : NativeGemm(context, type)
{
    private readonly WgmmaGemm wgmma = new(context, type, context.Info.Multiprocessors);

    /// <summary>Whether every line of both operands can be copied in units of 16 bytes; else elements are collected one by one.</summary>
    public static bool ReadsUnits(in GemmProduct product, DType type) => product.A.Wide(type) != 0 && product.B.Wide(type) != 0;

    /// <summary>Rows and columns are never exchanged: these tiles are square, and wgmma wants A to have many rows, as images do.</summary>
    protected override GemmPlan Plan(in GemmProduct product)
    {
        var portable = TilePlan.Choose(TileSet.Mma(Type), product.M, product.N, product.K, product.Batch, Context.Info.Multiprocessors);
        if (Context.Wgmma == WgmmaUse.Never || !WgmmaGemm.CanDo(product, Type)) return new(Swapped: false, portable);
        var hopper = WgmmaGemm.Plan(product, Context.Info.Multiprocessors);
        return new(Swapped: false, Context.Wgmma.Prefers(hopper, portable) ? hopper : portable);
    }

    protected override void Launch(in GemmPlan plan, in GemmProduct product, DevicePointer c, in GemmBias bias, Epilogue epilogue) =>
        Launch(plan, product, Alignment.Wide(c, product.N, Type), bias, c, default, epilogue);

    protected override void LaunchPartial(in GemmPlan plan, in GemmProduct product, DevicePointer partial) =>
        Launch(plan, product, Alignment.Wide(partial, product.N, DType.Float32), default, default, partial, Epilogues.None);

    private void Launch(
        in GemmPlan plan, in GemmProduct product, int wide, in GemmBias bias, DevicePointer c, DevicePointer partial, Epilogue epilogue)
    {
        var (a, b) = (product.A, product.B);
        var problem = new GemmProblem
        {
            M = product.M, N = product.N, K = product.K, PitchA = a.Pitch, PitchB = b.Pitch, WideA = a.Wide(Type), WideB = b.Wide(Type),
            WideC = wide, RowStride = product.N, ColumnStride = 1, BatchA = a.Batch, BatchB = b.Batch, BatchC = (long)product.M * product.N,
        };
        if (plan.Tiles.IsWgmma)
        {
            wgmma.Launch(plan.Tiles, product, problem, bias, c, partial, epilogue);
            return;
        }

        Context.Kernels.MmaGemm(
            TileKernels.MmaGemm(Type, a.Transposed, b.Transposed, plan.Tiles.Tile.Shape), plan.Tiles.Launch(product.M, product.N, product.Batch), a.Pointer,
            b.Pointer, bias.PerRow, bias.PerColumn, c, partial, problem, plan.Tiles.Depth(product.Count), epilogue);
    }
}
