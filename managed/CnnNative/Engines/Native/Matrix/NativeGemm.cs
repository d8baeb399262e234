using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Products of matrices on the device, of one type of elements; sums are fp32. Results are dense and row-major.</summary>
internal abstract class NativeGemm(NativeContext context, DType type)
{
    /// <summary>The type of operands and results.</summary>
    public DType Type => type;

    /// <summary>The device and its kernels.</summary>
    protected NativeContext Context => context;

    /// <summary>The products that compute in a type without rounding operands: fp32 on FMA units, halves on matrix units.</summary>
    public static NativeGemm For(NativeContext context, DType type) =>
        type == DType.Float32 ? new FmaGemm(context) : new MmaGemm(context, type);

    /// <summary>C = clamp(op(A) op(B) + bias); products of a batch stand behind each other. A depth of 0 gives the bias alone.</summary>
    /// <param name="product">Sizes and operands.</param>
    /// <param name="c">C.</param>
    /// <param name="bias">Added to every product.</param>
    /// <param name="epilogue">Clamp.</param>
    public void Multiply(in GemmProduct product, DevicePointer c, in GemmBias bias, Epilogue epilogue)
    {
        if (product.Count == 0) return;
        var plan = Plan(product);
        if (plan.Tiles.Splits == 1)
        {
            Launch(plan, product, c, bias, epilogue);
            return;
        }

        using var partial = context.Rent(product.Count * plan.Tiles.Splits * sizeof(float));
        LaunchPartial(plan, product, partial);
        var perRow = !bias.PerRow.IsNull;
        new SplitSums(context, type).Add(
            partial, perRow ? bias.PerRow : bias.PerColumn, c, product.Count, plan.Tiles.Splits, perRow ? product.M : product.N, perRow ? product.N : 1, epilogue);
    }

    /// <summary>C (m, n) = the sum of all products of a batch, rounded once; zeros if there are none.</summary>
    /// <param name="product">Sizes and operands.</param>
    /// <param name="c">C.</param>
    /// <param name="result">The type of C: that of the operands, or fp32.</param>
    public void Sum(in GemmProduct product, DevicePointer c, DType result)
    {
        var count = (long)product.M * product.N;
        if (count == 0) return;
        if (product.Batch == 0)
        {
            new SplitSums(context, result).Add(default, c, count, splits: 0);
            return;
        }

        var plan = Plan(product);
        var terms = product.Batch * plan.Tiles.Splits;
        if (terms == 1 && result == type)
        {
            Launch(plan, product, c, default, Epilogues.None);
            return;
        }

        if (terms == 1)
        {
            LaunchPartial(plan, product, c);
            return;
        }

        using var partial = context.Rent(product.Count * plan.Tiles.Splits * sizeof(float));
        LaunchPartial(plan, product, partial);
        new SplitSums(context, result).Add(partial, c, count, terms);
    }

    /// <summary>How a product is divided over blocks.</summary>
    protected abstract GemmPlan Plan(in GemmProduct product);

    /// <summary>Puts a product whose depth is not split into the stream.</summary>
    protected abstract void Launch(in GemmPlan plan, in GemmProduct product, DevicePointer c, in GemmBias bias, Epilogue epilogue);

    /// <summary>Puts the sums of all splits, one batch of results in fp32 behind the other, into the stream.</summary>
    protected abstract void LaunchPartial(in GemmPlan plan, in GemmProduct product, DevicePointer partial);
}
