using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// How threads share a pooling that halves height and width: windows of 2 x 2, or of 3 x 3 with a padding of 1, in steps of 2; the twin of
/// the structure in native/kernels/pool/halving.h.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct HalvingWalk
{
    /// <summary>Threads that fill the largest devices; strips are as tall as leaves so many.</summary>
    private const int EnoughThreads = 1 << 17;

    private const int TallestStrip = 16, ShortestStrip = 4;

    public readonly FastDivisor Columns, Strips;
    public readonly int StripRows, Elements, Threads;

    private HalvingWalk(long outer, int columns, int vectors, int rows, int elements)
    {
        StripRows = StripOf(outer * columns * vectors, rows);
        var strips = (rows + StripRows - 1) / StripRows;
        (Columns, Strips, Elements) = (new(columns), new(strips), elements);
        Threads = Index32.Of("Pooling", outer * columns * vectors * strips);
    }

    /// <summary>The launch.</summary>
    public LaunchConfiguration Launch => MapLaunch.Over(Threads);

    /// <summary>The walk over the outputs, or null where the general kernels run.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="layout">The layout.</param>
    /// <param name="type">The elements' type.</param>
    /// <param name="aligned">Whether all addresses are multiples of 16.</param>
    public static HalvingWalk? Forward(in PoolingProblem problem, Layout layout, DType type, bool aligned) =>
        For(problem, layout, type, aligned, problem.P, problem.Q);

    /// <summary>The walk over the inputs in pairs of rows and columns, or null where the general kernels run.</summary>
    /// <inheritdoc cref="Forward"/>
    public static HalvingWalk? Backward(in PoolingProblem problem, Layout layout, DType type, bool aligned) =>
        For(problem, layout, type, aligned, (problem.H + 1) / 2, (problem.W + 1) / 2);

    private static HalvingWalk? For(in PoolingProblem p, Layout layout, DType type, bool aligned, int rows, int columns)
    {
        if (!aligned || !Halves(p)) return null;
        if (layout == Layout.Nhwc)
        {
            var width = MapLaunch.Width(type);
            return p.C % width == 0 ? new(p.N, columns, p.C / width, rows, elements: 0) : null;
        }

        if (p.W % 2 != 0 || p.Q != p.W / 2) return null;
        var elements = MapLaunch.Width(type);
        while (p.W % elements != 0) elements /= 2;
        return new((long)p.N * p.C, p.W / elements, 1, rows, elements);
    }

    private static bool Halves(in PoolingProblem p) =>
        p is { StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1 } and ({ R: 2, S: 2, PadH: 0, PadW: 0 } or { R: 3, S: 3, PadH: 1, PadW: 1 });

    private static int StripOf(long threadsPerRow, int rows)
    {
        var strip = TallestStrip;
        while (strip > ShortestStrip && threadsPerRow * ((rows + strip - 1) / strip) < EnoughThreads) strip /= 2;
        return strip;
    }
}
