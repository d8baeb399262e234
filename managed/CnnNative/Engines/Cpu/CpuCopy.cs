using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CnnNative.Engines.Cpu;

/// <summary>Short copies, for which a call of the runtime's block copy costs more than the copy.</summary>
internal static unsafe class CpuCopy
{
    private const int FloatsInLine = 16;

    /// <summary>Copies a few floats; the ranges do not overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Row(float* source, float* target, int count)
    {
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count) Vector512.Load(source + i).Store(target + i);
        if (i < count) Tail(source + i, target + i, count - i);
    }

    /// <summary>Copies every step-th float.</summary>
    public static void Strided(float* source, int step, float* target, int count)
    {
        for (var i = 0; i < count; i++) target[i] = source[i * step];
    }

    /// <summary>target[i * targetRow + j * step] = source[i * sourceRow + j] for i below rows, j below columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Block(int rows, int columns, float* source, nint sourceRow, float* target, nint targetRow, nint step)
    {
        for (; rows > 0; rows--)
        {
            if (step == 1) Row(source, target, columns);
            else Spread(source, target, step, columns);
            source += sourceRow;
            target += targetRow;
        }
    }

    /// <summary>Copies to every step-th float.</summary>
    private static void Spread(float* source, float* target, nint step, int count)
    {
        for (var i = 0; i < count; i++) target[i * step] = source[i];
    }

    /// <summary>Asks for the lines of a block that is written after the next stretch of arithmetic, so that the writes do not wait for memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Announce(int rows, int columns, float* target, nint targetRow)
    {
        if (!Sse.IsSupported) return;
        for (; rows > 0; rows--)
        {
            for (var j = 0; j < columns; j += FloatsInLine) Sse.Prefetch1(target + j);
            Sse.Prefetch1(target + columns - 1);
            target += targetRow;
        }
    }

    /// <summary>Fewer floats than a vector, as two that may overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tail(float* source, float* target, int count)
    {
        if (count >= Vector256<float>.Count)
        {
            var last = Vector256.Load(source + count - Vector256<float>.Count);
            Vector256.Load(source).Store(target);
            last.Store(target + count - Vector256<float>.Count);
        }
        else if (count >= Vector128<float>.Count)
        {
            var last = Vector128.Load(source + count - Vector128<float>.Count);
            Vector128.Load(source).Store(target);
            last.Store(target + count - Vector128<float>.Count);
        }
        else
        {
            for (var i = 0; i < count; i++) target[i] = source[i];
        }
    }
}
