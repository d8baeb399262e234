using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CnnNative.Engines.Cpu;

/// <summary>Transposed copies of matrices of floats.</summary>
internal static unsafe class CpuTranspose
{
    private const int Block = 8;

    /// <summary>target[j * targetRow + i] = source[i * sourceRow + j] for i below rows, j below columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(int rows, int columns, float* source, nint sourceRow, float* target, nint targetRow)
    {
        int blockRows = 0, blockColumns = 0;
        if (Avx.IsSupported)
        {
            blockRows = rows & -Block;
            blockColumns = columns & -Block;
            for (var i = 0; i < blockRows; i += Block)
            {
                for (var j = 0; j < blockColumns; j += Block) CopyBlock(source + i * sourceRow + j, sourceRow, target + j * targetRow + i, targetRow);
            }
        }

        CopyPlain(blockRows, columns - blockColumns, source + blockColumns, sourceRow, target + blockColumns * targetRow, targetRow);
        CopyPlain(rows - blockRows, columns, source + blockRows * sourceRow, sourceRow, target + blockRows, targetRow);
    }

    private static void CopyPlain(int rows, int columns, float* source, nint sourceRow, float* target, nint targetRow)
    {
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++) target[j * targetRow + i] = source[i * sourceRow + j];
        }
    }

    /// <summary>8 x 8 by interleaving pairs, quadruples and halves of rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyBlock(float* source, nint sourceRow, float* target, nint targetRow)
    {
        var r0 = Avx.LoadVector256(source);
        var r1 = Avx.LoadVector256(source + sourceRow);
        var r2 = Avx.LoadVector256(source + 2 * sourceRow);
        var r3 = Avx.LoadVector256(source + 3 * sourceRow);
        var r4 = Avx.LoadVector256(source + 4 * sourceRow);
        var r5 = Avx.LoadVector256(source + 5 * sourceRow);
        var r6 = Avx.LoadVector256(source + 6 * sourceRow);
        var r7 = Avx.LoadVector256(source + 7 * sourceRow);
        var (q0, q1, q2, q3) = Quarters(r0, r1, r2, r3);
        var (q4, q5, q6, q7) = Quarters(r4, r5, r6, r7);
        Avx.Permute2x128(q0, q4, 0x20).Store(target);
        Avx.Permute2x128(q1, q5, 0x20).Store(target + targetRow);
        Avx.Permute2x128(q2, q6, 0x20).Store(target + 2 * targetRow);
        Avx.Permute2x128(q3, q7, 0x20).Store(target + 3 * targetRow);
        Avx.Permute2x128(q0, q4, 0x31).Store(target + 4 * targetRow);
        Avx.Permute2x128(q1, q5, 0x31).Store(target + 5 * targetRow);
        Avx.Permute2x128(q2, q6, 0x31).Store(target + 6 * targetRow);
        Avx.Permute2x128(q3, q7, 0x31).Store(target + 7 * targetRow);
    }

    /// <summary>Transposes the 4 x 4 in the lower and in the upper halves of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float>, Vector256<float>, Vector256<float>, Vector256<float>) Quarters(
        Vector256<float> r0, Vector256<float> r1, Vector256<float> r2, Vector256<float> r3)
    {
        var low01 = Avx.UnpackLow(r0, r1);
        var high01 = Avx.UnpackHigh(r0, r1);
        var low23 = Avx.UnpackLow(r2, r3);
        var high23 = Avx.UnpackHigh(r2, r3);
        return (
            Avx.Shuffle(low01, low23, 0b01_00_01_00), Avx.Shuffle(low01, low23, 0b11_10_11_10),
            Avx.Shuffle(high01, high23, 0b01_00_01_00), Avx.Shuffle(high01, high23, 0b11_10_11_10));
    }
}
