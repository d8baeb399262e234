using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Max pooling of one plane. Windows that lie in the image from left to right are taken sixteen neighbours at a time where
/// the stride is 1 or 2, the others one by one. As in PyTorch the first of equal elements wins, and a NaN wins over what came
/// before.
/// </summary>
internal static unsafe class MaxPool
{
    /// <summary>
    /// y = maximum of each window of planes first to last - 1. Rows are written in the order of memory, and every vector up to the
    /// last of the range as a whole: what it writes beyond its row is overwritten by the rows that follow.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward<TPlaces>(in PoolGeometry g, float* x, float* y, TPlaces places, long first, long last) where TPlaces : struct, IPoolPlaces
    {
        var (whole, wholeEnd) = g.WholeColumns();
        if (!g.HasVectorStride) wholeEnd = whole;
        var xEnd = x + last * g.InputPlane;
        var (at, end) = (first * g.OutputPlane, last * g.OutputPlane);
        for (var plane = x + first * g.InputPlane; plane < xEnd; plane += g.InputPlane)
        {
            for (var row = 0; row < g.P; row++, at += g.Q)
            {
                for (var column = 0; column < whole; column++) One(g, plane, row, column, y, places, at + column);
                for (var column = whole; column < wholeEnd; column += Lanes.Count)
                {
                    var (best, place) = g.IsHalving
                        ? Halve<TPlaces>(plane + (long)(2 * row) * g.W + 2 * column, g.W, wholeEnd - column, xEnd)
                        : Sixteen<TPlaces>(g, plane, row, column, xEnd);
                    best.StoreFirst(y + at + column, end - at - column);
                    if (TPlaces.Kept) places.Store(place, at + column, end - at - column);
                }

                for (var column = wholeEnd; column < g.Q; column++) One(g, plane, row, column, y, places, at + column);
            }
        }
    }

    /// <summary>dx = dy at the places of the maxima, summed where windows overlap; 0 elsewhere. For one plane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward<TPlaces>(in PoolGeometry g, float* dy, TPlaces places, long plane, float* dx) where TPlaces : struct, IPoolPlaces
    {
        dx += plane * g.InputPlane;
        new Span<float>(dx, checked((int)g.InputPlane)).Clear();
        var offsets = stackalloc int[g.R * g.S];
        for (var place = 0; place < g.R * g.S; place++) offsets[place] = place / g.S * g.DilationH * g.W + place % g.S * g.DilationW;
        var (at, strideW, hasBlind) = (plane * g.OutputPlane, g.StrideW, g.HasBlindWindows);
        for (var row = 0; row < g.P; row++)
        {
            var corner = dx + ((long)g.Top(row) * g.W - g.PadW);
            for (var column = 0; column < g.Q; column++, at++)
            {
                if (!hasBlind || g.Sees(row, column)) corner[column * strideW + offsets[places[at]]] += dy[at];
            }
        }
    }

    /// <summary>Gradient of planes first to last - 1 where windows of 2 x 2 tile the plane: every element of dx is written once, in the order of memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BackwardHalving(in PoolGeometry g, float* dy, BytePlaces places, long first, long last, float* dx)
    {
        var (at, end) = (first * g.OutputPlane, last * g.OutputPlane);
        var dxEnd = dx + last * g.InputPlane;
        for (dx += first * g.InputPlane; dx < dxEnd; dx += (g.H - 2 * g.P) * g.W)
        {
            for (var row = 0; row < g.P; row++, at += g.Q)
            {
                for (var half = 0; half < 2; half++, dx += g.W)
                {
                    for (var column = 0; column < g.Q; column += Lanes.Count)
                    {
                        var room = end - at - column;
                        Spread(Lanes.LoadFirst(dy + at + column, room), places.Load(at + column, room), 2 * half, dx + 2 * column, g.Q - column, dxEnd);
                    }

                    for (var w = 2 * g.Q; w < g.W; w++) dx[w] = 0f;
                }
            }

            new Span<float>(dx, (g.H - 2 * g.P) * g.W).Clear();
        }
    }

    /// <summary>Part of a row of dx: the gradients whose place is <paramref name="first"/> in even columns, those one further in odd ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(Vector512<float> gradient, Vector512<int> place, int first, float* dx, int count, float* end)
    {
        var even = Vector512.ConditionalSelect(Vector512.Equals(place, Vector512.Create(first)).AsSingle(), gradient, Vector512<float>.Zero);
        var odd = Vector512.ConditionalSelect(Vector512.Equals(place, Vector512.Create(first + 1)).AsSingle(), gradient, Vector512<float>.Zero);
        var (low, high) = Lanes.Interleave(even, odd);
        low.StoreFirst(dx, end - dx);
        if (2 * count > Lanes.Count) high.StoreFirst(dx + Lanes.Count, end - dx - Lanes.Count);
    }

    /// <summary>One window, anywhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One<TPlaces>(in PoolGeometry g, float* x, int row, int column, float* y, TPlaces places, long at) where TPlaces : struct, IPoolPlaces
    {
        var (top, left) = (g.Top(row), g.Left(column));
        var ((r0, r1), (s0, s1)) = (g.RowsInside(top), g.ColumnsInside(left));
        var (best, place) = (float.NegativeInfinity, -1);
        for (var r = r0; r < r1; r++)
        {
            var line = x + (long)(top + r * g.DilationH) * g.W + left;
            for (var s = s0; s < s1; s++)
            {
                var value = line[s * g.DilationW];
                if (place >= 0 && !(value > best) && !float.IsNaN(value)) continue;
                (best, place) = (value, r * g.S + s);
            }
        }

        y[at] = best;
        places[at] = Math.Max(place, 0);
    }

    /// <summary>
    /// Sixteen neighbouring windows that lie in the image from left to right, with stride 1 or 2. Lanes beyond the row are of no
    /// meaning; what they read lies before <paramref name="end"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (Vector512<float> Best, Vector512<int> Place) Sixteen<TPlaces>(in PoolGeometry g, float* x, int row, int column, float* end)
        where TPlaces : struct, IPoolPlaces
    {
        var top = g.Top(row);
        var (r0, r1) = g.RowsInside(top);
        var best = Vector512.Create(float.NegativeInfinity);
        var place = Vector512.Create(r0 * g.S);
        var (columns, dilation, byTwo) = (g.S, g.DilationW, g.StrideW == 2);
        for (var r = r0; r < r1; r++)
        {
            var tap = x + (long)(top + r * g.DilationH) * g.W + g.Left(column);
            var number = r * columns;
            if (byTwo)
            {
                for (var s = 0; s < columns; s += 2, tap += 2)
                {
                    var (a, b) = (Lanes.LoadFirst(tap, end - tap), Lanes.LoadFirst(tap + Lanes.Count, end - tap - Lanes.Count));
                    Take<TPlaces>(Lanes.Even(a, b), number + s, ref best, ref place);
                    if (s + 1 < columns) Take<TPlaces>(Lanes.Odd(a, b), number + s + 1, ref best, ref place);
                }
            }
            else
            {
                for (var s = 0; s < columns; s++, tap += dilation) Take<TPlaces>(Lanes.LoadFirst(tap, end - tap), number + s, ref best, ref place);
            }
        }

        return (best, place);
    }

    /// <summary>Sixteen neighbouring windows of 2 x 2 with stride 2, of which <paramref name="count"/> matter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Best, Vector512<int> Place) Halve<TPlaces>(float* x, int width, int count, float* end) where TPlaces : struct, IPoolPlaces
    {
        var below = x + width;
        Vector512<float> a = Lanes.LoadFirst(x, end - x), b = default;
        Vector512<float> c = Lanes.LoadFirst(below, end - below), d = default;
        if (2 * count > Lanes.Count)
        {
            b = Lanes.LoadFirst(x + Lanes.Count, end - x - Lanes.Count);
            d = Lanes.LoadFirst(below + Lanes.Count, end - below - Lanes.Count);
        }

        var best = Lanes.Even(a, b);
        var place = Vector512<int>.Zero;
        Take<TPlaces>(Lanes.Odd(a, b), 1, ref best, ref place);
        Take<TPlaces>(Lanes.Even(c, d), 2, ref best, ref place);
        Take<TPlaces>(Lanes.Odd(c, d), 3, ref best, ref place);
        return (best, place);
    }

    /// <summary>Where a tap is larger than the best so far, or NaN, it takes its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take<TPlaces>(Vector512<float> taps, int number, ref Vector512<float> best, ref Vector512<int> place) where TPlaces : struct, IPoolPlaces
    {
        var larger = Vector512.GreaterThan(taps, best) | ~Vector512.Equals(taps, taps);
        best = Vector512.ConditionalSelect(larger, taps, best);
        if (TPlaces.Kept) place = Vector512.ConditionalSelect(larger.AsInt32(), Vector512.Create(number), place);
    }
}
