using System.Numerics;

namespace CnnNative.TestKit;

/// <summary>Cross-entropy of logits (N, C, L) against labels (N, L), from its definition.</summary>
public static class NaiveCrossEntropy
{
    public static (T Loss, T[] Gradient) Run<T>(
        T[] x, long[] labels, T[]? weights, T smoothing, long ignoreIndex, bool mean, T dloss, int c, int l) where T : IFloatingPointIeee754<T>
    {
        var logarithms = NaiveSoftmax.Forward(x, c, l, logarithm: true);
        var (loss, divisor, gradient) = (T.Zero, T.Zero, new T[x.Length]);
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == ignoreIndex) continue;
            divisor += Weight(labels[i]);
            for (var k = 0; k < c; k++) loss -= Target(i, k) * logarithms[At(i, k)];
        }

        if (!mean) divisor = T.One;
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == ignoreIndex) continue;
            var sum = T.Zero;
            for (var k = 0; k < c; k++) sum += Target(i, k);
            for (var k = 0; k < c; k++) gradient[At(i, k)] = (T.Exp(logarithms[At(i, k)]) * sum - Target(i, k)) / divisor * dloss;
        }

        return (loss / divisor, gradient);

        int At(int i, int k) => (i / l * c + k) * l + i % l;
        T Weight(long k) => weights is null ? T.One : weights[k];
        T Target(int i, int k) => (labels[i] == k ? (T.One - smoothing) * Weight(k) : T.Zero) + smoothing / T.CreateChecked(c) * Weight(k);
    }
}
