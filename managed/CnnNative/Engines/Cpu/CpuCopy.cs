using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>Short copies, for which a call of the runtime's block copy costs more than the copy.</summary>
internal static unsafe class CpuCopy
{
    /// <summary>Copies a few floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Row(float* source, float* target, int count)
    {
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count) Vector512.Load(source + i).Store(target + i);
        if (i <= count - Vector256<float>.Count)
        {
            Vector256.Load(source + i).Store(target + i);
            i += Vector256<float>.Count;
        }

        for (; i < count; i++) target[i] = source[i];
    }
}
