using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>A stored matrix, or one of equal ones in equal distances.</summary>
/// <param name="Pointer">First element.</param>
/// <param name="Pitch">Elements from one stored line to the next.</param>
/// <param name="Transposed">Whether the formula means its transpose.</param>
/// <param name="Batch">Elements from one matrix to the next.</param>
internal readonly record struct GemmOperand(DevicePointer Pointer, int Pitch, bool Transposed, long Batch = 0)
{
    /// <summary>Whether every line allows 16-byte loads.</summary>
    public int Wide => Alignment.Wide(Pointer, Pitch, Batch);
}

/// <summary>What a product adds to its result: nothing, a number per row or a number per column.</summary>
internal readonly record struct GemmBias(DevicePointer PerRow, DevicePointer PerColumn);

/// <summary>Products of matrices on the device: C (m, n) = clamp(op(A) op(B) + bias), C dense and row-major.</summary>
internal sealed class NativeGemm(NativeContext context)
{
    /// <summary>Puts the product into the stream.</summary>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Depth; 0 gives the bias alone.</param>
    /// <param name="a">A, (m, k) as the formula means it.</param>
    /// <param name="b">B, (k, n) as the formula means it.</param>
    /// <param name="c">C; products of a batch stand behind each other.</param>
    /// <param name="bias">Added to every product.</param>
    /// <param name="epilogue">Clamp.</param>
    /// <param name="products">Products of this size.</param>
    public void Multiply(int m, int n, int k, in GemmOperand a, in GemmOperand b, DevicePointer c, in GemmBias bias, Epilogue epilogue, int products = 1)
    {
        if (m == 0 || n == 0 || products == 0) return;
        var plan = GemmPlan.Choose(TileSet.Fma, m, n, k, products, context.Info.Multiprocessors);
        if (plan.Tiles.Splits == 1)
        {
            Launch(plan, m, n, k, a, b, c, bias, epilogue, products);
            return;
        }

        var count = (long)m * n * products;
        using var partial = context.Rent(count * plan.Tiles.Splits * sizeof(float));
        Launch(plan, m, n, k, a, b, partial, default, Epilogues.None, products);
        var perRow = !bias.PerRow.IsNull;
        new SplitSums(context, DType.Float32).Add(partial, perRow ? bias.PerRow : bias.PerColumn, c, count, plan.Tiles.Splits, perRow ? m : n, perRow ? n : 1, epilogue);
    }

    private void Launch(
        in GemmPlan plan, int m, int n, int k, in GemmOperand a, in GemmOperand b, DevicePointer c, in GemmBias bias, Epilogue epilogue, int products)
    {
        // The transpose of an operand is the same memory, meant the other way round.
        var (first, second) = plan.Swapped ? (b with { Transposed = !b.Transposed }, a with { Transposed = !a.Transposed }) : (a, b);
        var (rows, columns) = plan.Swapped ? (n, m) : (m, n);
        var wide = Alignment.Wide(c, n, (long)m * n) != 0;
        var problem = new GemmProblem
        {
            M = rows, N = columns, K = k, PitchA = first.Pitch, PitchB = second.Pitch, WideA = first.Wide, WideB = second.Wide,
            WideC = (int)(!wide ? WideStore.None : plan.Swapped ? WideStore.Rows : WideStore.Columns),
            RowStride = plan.Swapped ? 1 : n, ColumnStride = plan.Swapped ? n : 1,
            BatchA = first.Batch, BatchB = second.Batch, BatchC = (long)m * n,
        };
        context.Kernels.Sgemm(
            TileKernels.Sgemm(first.Transposed, second.Transposed, plan.Tiles.Tile.Shape), plan.Tiles.Launch(rows, columns, products), first.Pointer, second.Pointer,
            plan.Swapped ? bias.PerColumn : bias.PerRow, plan.Swapped ? bias.PerRow : bias.PerColumn, c, problem,
            plan.Tiles.Depth((long)m * n * products), epilogue);
    }
}
