using System.Numerics;
using CnnNative.Engines;

namespace CnnNative.TestKit;

/// <summary>Adaptive average pooling from its definition. Arrays are row-major NCHW.</summary>
public static class NaiveAdaptivePooling
{
    /// <summary>y = the mean of each window.</summary>
    public static T[] Forward<T>(in AdaptivePoolingProblem problem, T[] x) where T : INumber<T>
    {
        var y = new T[problem.OutputShape.Count];
        ForEachPair(problem, (xi, yi, area) => y[yi] += x[xi]);
        ForEachWindow(problem, (yi, area) => y[yi] /= T.CreateChecked(area));
        return y;
    }

    /// <summary>Gradient of the mean by x.</summary>
    public static T[] Backward<T>(in AdaptivePoolingProblem problem, T[] dy) where T : INumber<T>
    {
        var dx = new T[problem.InputShape.Count];
        ForEachPair(problem, (xi, yi, area) => dx[xi] += dy[yi] / T.CreateChecked(area));
        return dx;
    }

    /// <summary>Window i of so many over an axis: floor(i size / count) up to, not including, ceil((i + 1) size / count).</summary>
    public static (int First, int End) Window(int i, int size, int count) =>
        ((int)((long)i * size / count), (int)(((i + 1L) * size + count - 1) / count));

    private static void ForEachWindow(AdaptivePoolingProblem p, Action<int, int> window)
    {
        for (var i = 0; i < p.OutputShape.Count; i++)
        {
            var (rows, columns) = (Window(i / p.Q % p.P, p.H, p.P), Window(i % p.Q, p.W, p.Q));
            window(i, (rows.End - rows.First) * (columns.End - columns.First));
        }
    }

    private static void ForEachPair(AdaptivePoolingProblem p, Action<int, int, int> pair) => ForEachWindow(p, (i, area) =>
    {
        var (rows, columns, plane) = (Window(i / p.Q % p.P, p.H, p.P), Window(i % p.Q, p.W, p.Q), i / (p.P * p.Q));
        for (var h = rows.First; h < rows.End; h++)
        for (var w = columns.First; w < columns.End; w++)
            pair((plane * p.H + h) * p.W + w, i, area);
    });
}
