using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>Sums of consecutive floats, in an order that depends on their number alone.</summary>
internal static unsafe class RowSum
{
    /// <summary>The sum, by four chains of eight lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Of(float* row, int count)
    {
        Vector256<float> a = default, b = default, c = default, d = default;
        var width = Vector256<float>.Count;
        var i = 0;
        for (; i <= count - 4 * width; i += 4 * width)
        {
            a += Vector256.Load(row + i);
            b += Vector256.Load(row + i + width);
            c += Vector256.Load(row + i + 2 * width);
            d += Vector256.Load(row + i + 3 * width);
        }

        for (; i <= count - width; i += width) a += Vector256.Load(row + i);
        var sum = Vector256.Sum(a + b + (c + d));
        for (; i < count; i++) sum += row[i];
        return sum;
    }
}
