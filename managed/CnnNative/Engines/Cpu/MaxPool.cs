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
    /// <summary>y = maximum of each window of the plane x; y and the positions of the plane start at element <paramref name="start"/>.</summary>
    public static void Forward<TPlaces>(in PoolGeometry g, float* x, float* y, TPlaces places, long start) where TPlaces : struct, IPoolPlaces
    {
        var (whole, wholeEnd) = g.WholeColumns();
        if (!g.HasVectorStride) wholeEnd = whole;
        var end = start + g.OutputPlane;
        for (var row = 0; row < g.P; row++)
        {
            var at = start + (long)row * g.Q;
            for (var column = 0; column < whole; column++) One(g, x, row, column, y, places, at + column);
            for (var column = whole; column < wholeEnd; column += Lanes.Count)
            {
                var count = wholeEnd - column;
                var (best, place) = g.IsHalving
                    ? Halve<TPlaces>(x + (long)(2 * row) * g.W + 2 * column, g.W, count)
                    : Sixteen<TPlaces>(g, x, row, column, count);
                best.StoreFirst(y + at + column, count);
                if (TPlaces.Kept) places.Store(place, at + column, Math.Min(count, Lanes.Count), end);
            }

            for (var column = wholeEnd; column < g.Q; column++) One(g, x, row, column, y, places, at + column);
        }
    }

    /// <summary>dx = dy at the places of the maxima, summed where windows overlap; 0 elsewhere.</summary>
    public static void Backward<TPlaces>(in PoolGeometry g, float* dy, TPlaces places, long start, float* dx) where TPlaces : struct, IPoolPlaces
    {
        new Span<float>(dx, checked((int)g.InputPlane)).Clear();
        int* rows = stackalloc int[g.R * g.S], columns = stackalloc int[g.R * g.S];
        for (var place = 0; place < g.R * g.S; place++) (rows[place], columns[place]) = (place / g.S * g.DilationH, place % g.S * g.DilationW);
        for (var row = 0; row < g.P; row++)
        {
            for (var column = 0; column < g.Q; column++)
            {
                var at = start + (long)row * g.Q + column;
                var (h, w) = (g.Top(row) + rows[places[at]], g.Left(column) + columns[places[at]]);
                // A window with no element in the image (a dilated one can step over it) gives its gradient to nobody.
                if ((uint)h < (uint)g.H && (uint)w < (uint)g.W) dx[(long)h * g.W + w] += dy[at];
            }
        }
    }

    /// <summary>Gradient where windows of 2 x 2 tile the plane: every element of dx is written once.</summary>
    public static void BackwardHalving(in PoolGeometry g, float* dy, BytePlaces places, long start, float* dx)
    {
        var end = start + g.OutputPlane;
        for (var row = 0; row < g.P; row++)
        {
            var at = start + (long)row * g.Q;
            float* upper = dx + (long)(2 * row) * g.W, lower = upper + g.W;
            for (var column = 0; column < g.Q; column += Lanes.Count)
            {
                var count = g.Q - column;
                var gradient = Lanes.LoadFirst(dy + at + column, count);
                var place = places.Load(at + column, count, end);
                Spread(gradient, place, 0, upper + 2 * column, 2 * count);
                Spread(gradient, place, 2, lower + 2 * column, 2 * count);
            }

            for (var w = 2 * g.Q; w < g.W; w++) upper[w] = lower[w] = 0f;
        }

        var rest = (g.H - 2 * g.P) * g.W;
        new Span<float>(dx + g.InputPlane - rest, rest).Clear();
    }

    /// <summary>One row of dx: the gradients whose place is <paramref name="first"/> in even columns, those one further in odd ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(Vector512<float> gradient, Vector512<int> place, int first, float* dx, long count)
    {
        var even = Vector512.ConditionalSelect(Vector512.Equals(place, Vector512.Create(first)).AsSingle(), gradient, Vector512<float>.Zero);
        var odd = Vector512.ConditionalSelect(Vector512.Equals(place, Vector512.Create(first + 1)).AsSingle(), gradient, Vector512<float>.Zero);
        var (low, high) = Lanes.Interleave(even, odd);
        low.StoreFirst(dx, count);
        if (count > Lanes.Count) high.StoreFirst(dx + Lanes.Count, count - Lanes.Count);
    }

    /// <summary>One window, anywhere.</summary>
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

    /// <summary>Sixteen neighbouring windows that lie in the image from left to right, with stride 1 or 2.</summary>
    private static (Vector512<float> Best, Vector512<int> Place) Sixteen<TPlaces>(in PoolGeometry g, float* x, int row, int column, int count)
        where TPlaces : struct, IPoolPlaces
    {
        var top = g.Top(row);
        var (r0, r1) = g.RowsInside(top);
        var best = Vector512.Create(float.NegativeInfinity);
        var place = Vector512.Create(r0 * g.S);
        for (var r = r0; r < r1; r++)
        {
            var line = x + (long)(top + r * g.DilationH) * g.W + g.Left(column);
            for (var s = 0; s < g.S; s++)
            {
                var taps = g.StrideW == 1
                    ? Lanes.LoadFirst(line + s * g.DilationW, count)
                    : Lanes.Even(Lanes.LoadFirst(line + s, 2 * count - 1), Lanes.LoadFirst(line + s + Lanes.Count, 2 * count - 1 - Lanes.Count));
                Take<TPlaces>(taps, r * g.S + s, ref best, ref place);
            }
        }

        return (best, place);
    }

    /// <summary>Sixteen neighbouring windows of 2 x 2 with stride 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Best, Vector512<int> Place) Halve<TPlaces>(float* x, int width, int count) where TPlaces : struct, IPoolPlaces
    {
        var (a, b) = (Lanes.LoadFirst(x, 2 * count), Lanes.LoadFirst(x + Lanes.Count, 2 * count - Lanes.Count));
        var (c, d) = (Lanes.LoadFirst(x + width, 2 * count), Lanes.LoadFirst(x + width + Lanes.Count, 2 * count - Lanes.Count));
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
