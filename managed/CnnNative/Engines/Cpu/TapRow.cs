using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// A row of outputs of one filter, as in a depthwise convolution, over <see cref="ImagePlanes"/>. The loads decide: each serves one
/// multiply-add. Four vectors are four chains of multiply-adds, and the processor overlaps them with those of the next.
/// </summary>
internal static unsafe class TapRow
{
    private const int MostVectors = 4;

    /// <summary>y[j] = the sum over taps l of a[l * aStep] x[taps[l] + j]; written in whole vectors.</summary>
    private static readonly delegate*<int, float*, nint, float*, nint*, float*, int, void> Kernel = Choose();

    /// <summary>Computes a row.</summary>
    /// <param name="depth">Number of taps.</param>
    /// <param name="a">The filter.</param>
    /// <param name="aStep">Distance of taps.</param>
    /// <param name="x">First output's place in the planes.</param>
    /// <param name="taps">Distances of the taps.</param>
    /// <param name="y">The row.</param>
    /// <param name="columns">Outputs.</param>
    public static void Multiply(int depth, float* a, nint aStep, float* x, nint* taps, float* y, int columns)
    {
        if (columns >= GemmKernels.Width)
        {
            Kernel(depth, a, aStep, x, taps, y, columns);
            return;
        }

        var aside = stackalloc float[GemmKernels.Width];
        Kernel(depth, a, aStep, x, taps, aside, GemmKernels.Width);
        CpuCopy.Row(aside, y, columns);
    }

    private static delegate*<int, float*, nint, float*, nint*, float*, int, void> Choose() =>
        Vector512.IsHardwareAccelerated ? &Run<Simd512, Vector512<float>>
        : Vector256.IsHardwareAccelerated ? &Run<Simd256, Vector256<float>>
        : &Run<Simd128, Vector128<float>>;

    /// <summary>At least a vector. The last one ends with the row: where it covers others it finds the same numbers again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TSimd, TVector>(int depth, float* a, nint aStep, float* x, nint* taps, float* y, int columns)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        int last = columns - TSimd.Width, j = 0;
        for (; j + (MostVectors - 2) * TSimd.Width < last + TSimd.Width; j += MostVectors * TSimd.Width)
        {
            int j1 = Math.Min(j + TSimd.Width, last), j2 = Math.Min(j + 2 * TSimd.Width, last), j3 = Math.Min(j + 3 * TSimd.Width, last);
            TVector c0 = TSimd.Splat(0f), c1 = c0, c2 = c0, c3 = c0;
            for (var l = 0; l < depth; l++)
            {
                var pixels = x + taps[l];
                var weight = TSimd.Splat(a[l * aStep]);
                c0 = TSimd.MultiplyAdd(weight, TSimd.Load(pixels + j), c0);
                c1 = TSimd.MultiplyAdd(weight, TSimd.Load(pixels + j1), c1);
                c2 = TSimd.MultiplyAdd(weight, TSimd.Load(pixels + j2), c2);
                c3 = TSimd.MultiplyAdd(weight, TSimd.Load(pixels + j3), c3);
            }

            TSimd.Store(c0, y + j);
            TSimd.Store(c1, y + j1);
            TSimd.Store(c2, y + j2);
            TSimd.Store(c3, y + j3);
        }

        for (; j < columns; j += TSimd.Width)
        {
            var from = Math.Min(j, last);
            var c0 = TSimd.Splat(0f);
            for (var l = 0; l < depth; l++) c0 = TSimd.MultiplyAdd(TSimd.Splat(a[l * aStep]), TSimd.Load(x + taps[l] + from), c0);
            TSimd.Store(c0, y + from);
        }
    }
}
