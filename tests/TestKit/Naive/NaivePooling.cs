using System.Numerics;
using CnnNative.Engines;

namespace CnnNative.TestKit;

/// <summary>Pooling from its definition. Arrays are row-major NCHW.</summary>
public static class NaivePooling
{
    /// <summary>The index in x of the largest element of each window: the first of equals, or the first NaN.</summary>
    public static int[] Maxima<T>(in PoolingProblem problem, T[] x) where T : INumber<T>
    {
        var found = new int[problem.OutputShape.Count];
        Array.Fill(found, -1);
        ForEachPair(problem, problem.DilationH, problem.DilationW, (xi, yi) =>
        {
            if (found[yi] < 0 || x[xi] > x[found[yi]] || (T.IsNaN(x[xi]) && !T.IsNaN(x[found[yi]]))) found[yi] = xi;
        });
        return found;
    }

    /// <summary>y = the mean of each window, over what counts in it.</summary>
    public static T[] Average<T>(in PoolingProblem problem, T[] x) where T : INumber<T>
    {
        var y = new T[problem.OutputShape.Count];
        var p = problem;
        ForEachPair(problem, 1, 1, (xi, yi) => y[yi] += x[xi]);
        for (var i = 0; i < y.Length; i++) y[i] /= T.CreateChecked(Divisor(p, i));
        return y;
    }

    /// <summary>Gradient of the mean by x.</summary>
    public static T[] AverageBackward<T>(in PoolingProblem problem, T[] dy) where T : INumber<T>
    {
        var dx = new T[problem.InputShape.Count];
        var p = problem;
        ForEachPair(problem, 1, 1, (xi, yi) => dx[xi] += dy[yi] / T.CreateChecked(Divisor(p, yi)));
        return dx;
    }

    /// <summary>Elements that count in a window: those in the image, or also those in the padding, but none beyond it.</summary>
    private static int Divisor(in PoolingProblem p, int output)
    {
        var (row, column) = (output / p.Q % p.P, output % p.Q);
        return Extent(row * p.StrideH - p.PadH, p.R, p.H, p.CountIncludePad ? p.PadH : 0)
            * Extent(column * p.StrideW - p.PadW, p.S, p.W, p.CountIncludePad ? p.PadW : 0);

        static int Extent(int start, int window, int size, int pad) => Math.Min(start + window, size + pad) - Math.Max(start, -pad);
    }

    private static void ForEachPair(PoolingProblem p, int dilationH, int dilationW, Action<int, int> pair)
    {
        for (var plane = 0; plane < p.N * p.C; plane++)
        for (var row = 0; row < p.P; row++)
        for (var column = 0; column < p.Q; column++)
        for (var r = 0; r < p.R; r++)
        for (var s = 0; s < p.S; s++)
        {
            var h = row * p.StrideH + r * dilationH - p.PadH;
            var w = column * p.StrideW + s * dilationW - p.PadW;
            if (h >= 0 && h < p.H && w >= 0 && w < p.W) pair((plane * p.H + h) * p.W + w, (plane * p.P + row) * p.Q + column);
        }
    }
}
