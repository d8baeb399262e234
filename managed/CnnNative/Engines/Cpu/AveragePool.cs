using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>Average pooling of one plane.</summary>
internal static unsafe class AveragePool
{
    /// <summary>y = mean of each window of the plane x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in PoolGeometry g, float* x, float* y)
    {
        var (whole, wholeEnd) = g.WholeColumns();
        if (!g.HasVectorStride || g.Q == 1) wholeEnd = whole;
        for (var row = 0; row < g.P; row++, y += g.Q)
        {
            for (var column = 0; column < whole; column++) y[column] = One(g, x, row, column);
            for (var column = whole; column < wholeEnd; column += Lanes.Count)
                Sixteen(g, x, row, column, wholeEnd - column).StoreFirst(y + column, wholeEnd - column);
            for (var column = wholeEnd; column < g.Q; column++) y[column] = One(g, x, row, column);
        }
    }

    /// <summary>dx = the shares of all windows that hold the element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(in PoolGeometry g, float* dy, float* dx)
    {
        if (g.IsHalving)
        {
            BackwardHalving(g, dy, dx);
            return;
        }

        var plane = new Span<float>(dx, checked((int)g.InputPlane));
        if (g.OutputPlane == 1 && new Window(g, 0, 0) is { Height: var height, Width: var width } whole && height == g.H && width == g.W)
        {
            plane.Fill(*dy / whole.Divisor);
            return;
        }

        plane.Clear();
        for (var row = 0; row < g.P; row++)
        {
            for (var column = 0; column < g.Q; column++)
            {
                var window = new Window(g, row, column);
                var share = *dy++ / window.Divisor;
                for (var h = window.Top; h < window.Bottom; h++)
                {
                    for (var w = window.Left; w < window.Right; w++) dx[(long)h * g.W + w] += share;
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BackwardHalving(in PoolGeometry g, float* dy, float* dx)
    {
        for (var row = 0; row < g.P; row++, dy += g.Q)
        {
            float* upper = dx + (long)(2 * row) * g.W, lower = upper + g.W;
            for (var column = 0; column < g.Q; column += Lanes.Count)
            {
                var count = 2 * (g.Q - column);
                var share = Lanes.LoadFirst(dy + column, g.Q - column) * 0.25f;
                var (low, high) = Lanes.Interleave(share, share);
                low.StoreFirst(upper + 2 * column, count);
                low.StoreFirst(lower + 2 * column, count);
                if (count <= Lanes.Count) continue;
                high.StoreFirst(upper + 2 * column + Lanes.Count, count - Lanes.Count);
                high.StoreFirst(lower + 2 * column + Lanes.Count, count - Lanes.Count);
            }

            for (var w = 2 * g.Q; w < g.W; w++) upper[w] = lower[w] = 0f;
        }

        var rest = (g.H - 2 * g.P) * g.W;
        new Span<float>(dx + g.InputPlane - rest, rest).Clear();
    }

    /// <summary>One window, anywhere; sixteen elements of a row of it at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float One(in PoolGeometry g, float* x, int row, int column)
    {
        var window = new Window(g, row, column);
        var (height, width) = (window.Height, window.Width);
        // Windows as wide as the plane are one run of memory.
        if (width == g.W) (width, height) = (width * height, Math.Min(height, 1));
        var lanes = Vector512<float>.Zero;
        var sum = 0f;
        for (var h = 0; h < height; h++)
        {
            var line = x + (long)(window.Top + h) * g.W + window.Left;
            var w = 0;
            for (; w + Lanes.Count <= width; w += Lanes.Count) lanes += Vector512.Load(line + w);
            for (; w < width; w++) sum += line[w];
        }

        return (Vector512.Sum(lanes) + sum) / window.Divisor;
    }

    /// <summary>Sixteen neighbouring windows that lie in the image from left to right, with stride 1 or 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector512<float> Sixteen(in PoolGeometry g, float* x, int row, int column, int count)
    {
        var window = new Window(g, row, column);
        var sum = Vector512<float>.Zero;
        for (var h = window.Top; h < window.Bottom; h++)
        {
            var line = x + (long)h * g.W + window.Left;
            for (var s = 0; s < g.S; s++)
            {
                sum += g.StrideW == 1
                    ? Lanes.LoadFirst(line + s, count)
                    : Lanes.Even(Lanes.LoadFirst(line + s, 2 * count - 1), Lanes.LoadFirst(line + s + Lanes.Count, 2 * count - 1 - Lanes.Count));
            }
        }

        return sum / window.Divisor;
    }

    /// <summary>The part of a window that lies in the image, and what its sum is divided by.</summary>
    private readonly struct Window
    {
        public readonly int Top, Bottom, Left, Right;
        public readonly float Divisor;

        public int Height => Bottom - Top;

        public int Width => Right - Left;

        public Window(in PoolGeometry g, int row, int column)
        {
            var (top, left) = (g.Top(row), g.Left(column));
            var (bottom, right) = (Math.Min(top + g.R, g.H + g.PadH), Math.Min(left + g.S, g.W + g.PadW));
            (Top, Left, Bottom, Right) = (Math.Max(top, 0), Math.Max(left, 0), Math.Min(bottom, g.H), Math.Min(right, g.W));
            Divisor = g.CountIncludePad ? (bottom - top) * (right - left) : Height * Width;
        }
    }
}
