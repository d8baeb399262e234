using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Products on matrix units: bfloat16, float16, or fp32 rounded to tf32; sums in fp32. C is dense and row-major.</summary>
internal sealed class MmaGemm(NativeContext context, DType type)
{
    /// <summary>Whether every line of both operands can be copied in units of 16 bytes; else elements are collected one by one.</summary>
    public static bool ReadsUnits(in GemmOperand a, in GemmOperand b, DType type) => Wide(a, type) != 0 && Wide(b, type) != 0;

    /// <summary>C (m, n) = clamp(op(A) op(B) + bias per column).</summary>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Depth.</param>
    /// <param name="a">A, (m, k) as the formula means it.</param>
    /// <param name="b">B, (k, n) as the formula means it.</param>
    /// <param name="bias">One number per column, or null.</param>
    /// <param name="c">C.</param>
    /// <param name="epilogue">Clamp.</param>
    public void Multiply(int m, int n, int k, in GemmOperand a, in GemmOperand b, DevicePointer bias, DevicePointer c, Epilogue epilogue)
    {
        if (m == 0 || n == 0) return;
        var plan = TilePlan.Choose(TileSet.Mma(type), m, n, k, 1, context.Info.Multiprocessors);
        if (plan.Splits == 1)
        {
            Launch(plan, m, n, k, a, b, bias, c, epilogue);
            return;
        }

        var count = (long)m * n;
        using var partial = context.Rent(count * plan.Splits * sizeof(float));
        Launch(plan, m, n, k, a, b, default, partial, Epilogues.None);
        new SplitSums(context, type).Add(partial, bias, c, count, plan.Splits, n, 1, epilogue);
    }

    private void Launch(in TilePlan plan, int m, int n, int k, in GemmOperand a, in GemmOperand b, DevicePointer bias, DevicePointer c, Epilogue epilogue)
    {
        var problem = new GemmProblem
        {
            M = m, N = n, K = k, PitchA = a.Pitch, PitchB = b.Pitch, WideA = Wide(a, type), WideB = Wide(b, type),
            WideC = Alignment.Wide(c, n, type), RowStride = n, ColumnStride = 1,
        };
        context.Kernels.MmaGemm(
            TileKernels.MmaGemm(type, a.Transposed, b.Transposed, plan.Tile.Shape), plan.Launch(m, n, 1), a.Pointer, b.Pointer, bias, c, c, problem,
            plan.Depth((long)m * n), epilogue);
    }

    private static int Wide(in GemmOperand operand, DType type) => Alignment.Wide(operand.Pointer, operand.Pitch, type);
}
