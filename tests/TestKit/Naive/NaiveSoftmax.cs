using System.Numerics;

namespace CnnNative.TestKit;

/// <summary>Softmax and its logarithm along the middle of (outer, size, inner), after subtracting the maximum.</summary>
public static class NaiveSoftmax
{
    public static T[] Forward<T>(T[] x, int size, int inner, bool logarithm) where T : IFloatingPointIeee754<T>
    {
        var y = new T[x.Length];
        foreach (var row in Rows(x.Length, size, inner))
        {
            var largest = T.NegativeInfinity;
            foreach (var i in row) largest = T.Max(largest, x[i]);
            var sum = T.Zero;
            foreach (var i in row) sum += T.Exp(x[i] - largest);
            foreach (var i in row) y[i] = logarithm ? x[i] - largest - T.Log(sum) : T.Exp(x[i] - largest) / sum;
        }

        return y;
    }

    /// <summary>From the output: dx = y * (dy - sum(dy * y)); of the logarithm dx = dy - exp(y) * sum(dy).</summary>
    public static T[] Backward<T>(T[] y, T[] dy, int size, int inner, bool logarithm) where T : IFloatingPointIeee754<T>
    {
        var dx = new T[y.Length];
        foreach (var row in Rows(y.Length, size, inner))
        {
            var sum = T.Zero;
            foreach (var i in row) sum += logarithm ? dy[i] : dy[i] * y[i];
            foreach (var i in row) dx[i] = logarithm ? dy[i] - T.Exp(y[i]) * sum : y[i] * (dy[i] - sum);
        }

        return dx;
    }

    private static IEnumerable<int[]> Rows(int count, int size, int inner)
    {
        for (var outer = 0; outer < count / Math.Max(1, size * inner); outer++)
        for (var j = 0; j < inner; j++)
        {
            yield return [.. Enumerable.Range(0, size).Select(k => (outer * size + k) * inner + j)];
        }
    }
}
