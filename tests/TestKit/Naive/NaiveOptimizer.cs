using System.Numerics;

namespace CnnNative.TestKit;

/// <summary>Optimisers element by element, in PyTorch's order of operations.</summary>
public static class NaiveOptimizer
{
    /// <summary>One step of SGD; the momentum buffer starts as the first gradient.</summary>
    public static void Sgd<T>(T[] p, T[] g, T[] momentum, bool first, T rate, T keep, T dampening, T decay, bool nesterov) where T : IFloatingPointIeee754<T>
    {
        for (var i = 0; i < p.Length; i++)
        {
            var gradient = g[i] + decay * p[i];
            if (keep != T.Zero)
            {
                momentum[i] = first ? gradient : keep * momentum[i] + (T.One - dampening) * gradient;
                gradient = nesterov ? gradient + keep * momentum[i] : momentum[i];
            }

            p[i] -= rate * gradient;
        }
    }

    /// <summary>One step of Adam; <paramref name="step"/> counts from 1.</summary>
    public static void Adam<T>(T[] p, T[] g, T[] mean, T[] square, int step, T rate, T beta1, T beta2, T eps, T decay) where T : IFloatingPointIeee754<T>
    {
        var correction1 = T.One - T.Pow(beta1, T.CreateChecked(step));
        var correction2 = T.One - T.Pow(beta2, T.CreateChecked(step));
        for (var i = 0; i < p.Length; i++)
        {
            var gradient = g[i] + decay * p[i];
            mean[i] = beta1 * mean[i] + (T.One - beta1) * gradient;
            square[i] = beta2 * square[i] + (T.One - beta2) * gradient * gradient;
            p[i] -= rate / correction1 * mean[i] / (T.Sqrt(square[i]) / T.Sqrt(correction2) + eps);
        }
    }
}
