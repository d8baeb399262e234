using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>A product of matrices, or a batch of equal ones: (m, k) (k, n), as the formula means them.</summary>
/// <param name="M">Rows of the result.</param>
/// <param name="N">Columns of the result.</param>
/// <param name="K">Depth.</param>
/// <param name="A">The first operand.</param>
/// <param name="B">The second operand.</param>
/// <param name="Batch">Products of this size.</param>
internal readonly record struct GemmProduct(int M, int N, int K, GemmOperand A, GemmOperand B, int Batch = 1)
{
    /// <summary>Elements of the results.</summary>
    public long Count => (long)M * N * Batch;
}

/// <summary>A stored matrix, or one of equal ones in equal distances.</summary>
/// <param name="Pointer">First element.</param>
/// <param name="Pitch">Elements from one stored line to the next.</param>
/// <param name="Transposed">Whether the formula means its transpose.</param>
/// <param name="Batch">Elements from one matrix to the next.</param>
internal readonly record struct GemmOperand(DevicePointer Pointer, int Pitch, bool Transposed, long Batch = 0)
{
    /// <summary>1 if every line allows 16-byte loads of a type's elements; 0 if not.</summary>
    public int Wide(DType type) => Alignment.Wide(Pointer, Pitch, type, Batch);
}

/// <summary>What a product adds to its result: nothing, a number per row or a number per column.</summary>
internal readonly record struct GemmBias(DevicePointer PerRow, DevicePointer PerColumn);
