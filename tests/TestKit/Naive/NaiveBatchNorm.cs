using System.Numerics;

namespace CnnNative.TestKit;

/// <summary>
/// Batch normalisation of x (N, C, L) from its definition, in two passes: mean first, then variance.
/// </summary>
public static class NaiveBatchNorm
{
    /// <summary>Mean and variance of each channel (divided by the number of elements).</summary>
    public static (T[] Mean, T[] Variance) Statistics<T>(T[] x, int n, int c, int l) where T : IFloatingPointIeee754<T>
    {
        var (mean, variance, count) = (new T[c], new T[c], T.CreateChecked(n * l));
        for (var i = 0; i < x.Length; i++) mean[i / l % c] += x[i];
        for (var k = 0; k < c; k++) mean[k] /= count;
        for (var i = 0; i < x.Length; i++)
        {
            var distance = x[i] - mean[i / l % c];
            variance[i / l % c] += distance * distance;
        }

        for (var k = 0; k < c; k++) variance[k] /= count;
        return (mean, variance);
    }

    /// <summary>y = gamma * (x - mean) / sqrt(variance + eps) + beta.</summary>
    public static T[] Forward<T>(T[] x, T[] mean, T[] variance, T[]? gamma, T[]? beta, T eps, int c, int l) where T : IFloatingPointIeee754<T>
    {
        var y = new T[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            var k = i / l % c;
            y[i] = (x[i] - mean[k]) / T.Sqrt(variance[k] + eps) * (gamma is null ? T.One : gamma[k]) + (beta is null ? T.Zero : beta[k]);
        }

        return y;
    }

    /// <summary>
    /// Gradients by x, gamma and beta; with batch statistics
    /// dx = gamma / s * (dy - mean(dy) - xhat * mean(dy * xhat)), with given ones dx = gamma / s * dy.
    /// </summary>
    public static (T[] X, T[] Gamma, T[] Beta) Backward<T>(
        T[] x, T[] dy, T[] mean, T[] variance, T[]? gamma, T eps, bool batchStatistics, int n, int c, int l) where T : IFloatingPointIeee754<T>
    {
        var (dx, dgamma, dbeta, count) = (new T[x.Length], new T[c], new T[c], T.CreateChecked(n * l));
        T Normalized(int i) => (x[i] - mean[i / l % c]) / T.Sqrt(variance[i / l % c] + eps);
        for (var i = 0; i < x.Length; i++)
        {
            dbeta[i / l % c] += dy[i];
            dgamma[i / l % c] += dy[i] * Normalized(i);
        }

        for (var i = 0; i < x.Length; i++)
        {
            var k = i / l % c;
            var centred = batchStatistics ? dy[i] - dbeta[k] / count - Normalized(i) * dgamma[k] / count : dy[i];
            dx[i] = (gamma is null ? T.One : gamma[k]) / T.Sqrt(variance[k] + eps) * centred;
        }

        return (dx, dgamma, dbeta);
    }
}
