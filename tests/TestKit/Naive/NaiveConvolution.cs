using System.Numerics;
using CnnNative.Engines;

namespace CnnNative.TestKit;

/// <summary>
/// Convolution from its definition, one product at a time. In double it is a reference that golden numbers confirm; in
/// float its error is the yardstick for engines. Arrays are row-major NCHW.
/// </summary>
public static class NaiveConvolution
{
    /// <summary>y[n, k, p, q] = b[k] + sum over c, r, s of w[k, c, r, s] * x[n, g * C/G + c, h, w].</summary>
    public static T[] Forward<T>(in ConvolutionProblem problem, T[] x, T[] w, T[]? b) where T : INumber<T>
    {
        var y = new T[problem.OutputShape.Count];
        ForEachProduct(problem, (xi, wi, yi) => y[yi] += x[xi] * w[wi]);
        if (b is null) return y;
        var pixels = problem.P * problem.Q;
        for (var i = 0; i < y.Length; i++) y[i] += b[i / pixels % problem.K];
        return y;
    }

    /// <summary>Gradient by x.</summary>
    public static T[] BackwardData<T>(in ConvolutionProblem problem, T[] dy, T[] w) where T : INumber<T>
    {
        var dx = new T[problem.InputShape.Count];
        ForEachProduct(problem, (xi, wi, yi) => dx[xi] += dy[yi] * w[wi]);
        return dx;
    }

    /// <summary>Gradient by w.</summary>
    public static T[] BackwardWeight<T>(in ConvolutionProblem problem, T[] x, T[] dy) where T : INumber<T>
    {
        var dw = new T[problem.WeightShape.Count];
        ForEachProduct(problem, (xi, wi, yi) => dw[wi] += dy[yi] * x[xi]);
        return dw;
    }

    /// <summary>Gradient by b.</summary>
    public static T[] BackwardBias<T>(in ConvolutionProblem problem, T[] dy) where T : INumber<T>
    {
        var db = new T[problem.K];
        var pixels = problem.P * problem.Q;
        for (var i = 0; i < dy.Length; i++) db[i / pixels % problem.K] += dy[i];
        return db;
    }

    /// <summary>Calls with the indices into x, w and y of every product that the convolution sums.</summary>
    private static void ForEachProduct(ConvolutionProblem p, Action<int, int, int> product)
    {
        var (c, k) = (p.C / p.Groups, p.K / p.Groups);
        for (var n = 0; n < p.N; n++)
        for (var filter = 0; filter < p.K; filter++)
        for (var row = 0; row < p.P; row++)
        for (var column = 0; column < p.Q; column++)
        {
            var yi = ((n * p.K + filter) * p.P + row) * p.Q + column;
            for (var channel = 0; channel < c; channel++)
            for (var r = 0; r < p.R; r++)
            for (var s = 0; s < p.S; s++)
            {
                var h = Source(row * p.StrideH + r * p.DilationH - p.PadTop, p.H, p.PaddingMode);
                var w = Source(column * p.StrideW + s * p.DilationW - p.PadLeft, p.W, p.PaddingMode);
                if (h < 0 || w < 0) continue;
                product(((n * p.C + filter / k * c + channel) * p.H + h) * p.W + w, ((filter * c + channel) * p.R + r) * p.S + s, yi);
            }
        }
    }

    /// <summary>The pixel that stands at a place inside or outside the image; -1 for a zero.</summary>
    private static int Source(int place, int size, PaddingMode mode) => mode switch
    {
        _ when place >= 0 && place < size => place,
        PaddingMode.Zeros => -1,
        PaddingMode.Replicate => Math.Clamp(place, 0, size - 1),
        PaddingMode.Circular => (place + size) % size,
        PaddingMode.Reflect => place < 0 ? -place : 2 * (size - 1) - place,
        _ => throw new ArgumentOutOfRangeException(nameof(mode)),
    };
}
