using System.Numerics;

namespace CnnNative.TestKit;

/// <summary>Matrix products from their definition, row-major.</summary>
public static class NaiveMatrix
{
    /// <summary>op(a) op(b), with op(a) of (m, k) and op(b) of (k, n).</summary>
    public static T[] Multiply<T>(T[] a, bool transposeA, T[] b, bool transposeB, int m, int n, int k) where T : INumber<T>
    {
        var c = new T[m * n];
        for (var i = 0; i < m; i++)
        for (var j = 0; j < n; j++)
        for (var t = 0; t < k; t++)
        {
            c[i * n + j] += a[transposeA ? t * m + i : i * k + t] * b[transposeB ? j * k + t : t * n + j];
        }

        return c;
    }

    /// <summary>Sum of the rows of (rows, columns).</summary>
    public static T[] SumRows<T>(T[] a, int columns) where T : INumber<T>
    {
        var sums = new T[columns];
        for (var i = 0; i < a.Length; i++) sums[i % columns] += a[i];
        return sums;
    }
}
