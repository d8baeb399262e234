using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>How the copy engine reads operands of wgmma: lines of 128 bytes under the 128-byte swizzle (native/kernels/common/wgmma.h).</summary>
internal static class OperandMap
{
    /// <summary>Elements of a line in shared memory, and lines of a block that the matrix units read at once.</summary>
    public const int Line = 64;

    /// <summary>The order that wgmma reads; whole lines are fetched into the level-2 cache.</summary>
    public static readonly TensorMapOptions Options = new(TensorMapSwizzle.Bytes128, Promotion: TensorMapPromotion.Bytes128);

    /// <summary>Whether kernels of this kind compute in a type.</summary>
    public static bool Knows(DType type) => type is DType.BFloat16 or DType.Float16;

    /// <summary>The copy engine's name of a type.</summary>
    public static TensorMapType Type(DType type) => type == DType.BFloat16 ? TensorMapType.BFloat16 : TensorMapType.Float16;

    /// <summary>A matrix, or a batch of them: boxes of <see cref="Line"/> elements along a stored line and so many lines.</summary>
    /// <param name="context">Where it is used.</param>
    /// <param name="type">Data type.</param>
    /// <param name="operand">The matrices; a distance of 0 means one for all products.</param>
    /// <param name="length">Elements of a stored line.</param>
    /// <param name="lines">Stored lines of a matrix.</param>
    /// <param name="products">Products of the batch.</param>
    /// <param name="boxLines">Lines of a box.</param>
    public static TensorMap Matrix(NativeContext context, DType type, in GemmOperand operand, int length, int lines, int products, int boxLines)
    {
        var shared = operand.Batch == 0;
        ulong line = (ulong)operand.Pitch * (ulong)type.Size(), matrix = shared ? line * (ulong)lines : (ulong)(operand.Batch * type.Size());
        return TensorMap.Tiled(
            context.Stream.Context, new(operand.Pointer, Type(type), [(ulong)length, (ulong)lines, shared ? 1 : (ulong)products], [line, matrix]), [Line, boxLines, 1], Options);
    }
}
