using System.Numerics;
using CnnNative.TestKit;

namespace CnnNative.Tests.Functions;

/// <summary>What a batch normalisation layer leaves behind.</summary>
internal sealed record BatchNormResult(float[] Y, float[] Dx, float[] Dgamma, float[] Dbeta, float[] RunningMean, float[] RunningVariance);

/// <summary>A golden case of batch normalisation by definition, in float or double.</summary>
internal static class BatchNormReference
{
    public static BatchNormResult InFloat(GoldenCase golden)
    {
        var (y, dx, dgamma, dbeta, mean, variance) = Run<float>(golden);
        return new(y, dx, dgamma, dbeta, mean, variance);
    }

    public static (T[] Y, T[] Dx, T[] Dgamma, T[] Dbeta, T[] RunningMean, T[] RunningVariance) Run<T>(GoldenCase golden)
        where T : IFloatingPointIeee754<T>
    {
        var shape = golden["y"].Shape;
        var (n, c, l) = (shape[0], shape[1], (int)shape.CountFrom(2));
        T[]? Given(string name) => golden.Has(name) ? Array.ConvertAll(golden[name].Values, T.CreateChecked) : null;
        var (gamma, beta, runningMean, runningVariance) = (Given("gamma"), Given("beta"), Given("running_mean"), Given("running_var"));
        var (eps, byBatch) = (T.CreateChecked(golden.Float("eps")), golden.Bool("train") || !golden.Bool("track"));
        var (x, mean, variance) = (Array.Empty<T>(), runningMean, runningVariance);
        for (var batch = 0; batch < golden.Int("batches"); batch++)
        {
            x = Given($"x{batch}")!;
            if (!byBatch) continue;
            (mean, variance) = NaiveBatchNorm.Statistics(x, n, c, l);
            if (!golden.Bool("track")) continue;
            var momentum = golden.FloatOrNull("momentum") is { } given ? T.CreateChecked(given) : T.One / T.CreateChecked(batch + 1);
            var unbiased = T.CreateChecked(n * l) / T.CreateChecked(n * l - 1);
            for (var k = 0; k < c; k++)
            {
                runningMean![k] = (T.One - momentum) * runningMean[k] + momentum * mean[k];
                runningVariance![k] = (T.One - momentum) * runningVariance[k] + momentum * variance[k] * unbiased;
            }
        }

        var (dx, dgamma, dbeta) = NaiveBatchNorm.Backward(x, Given("dy")!, mean!, variance!, gamma, eps, byBatch, n, c, l);
        var y = NaiveBatchNorm.Forward(x, mean!, variance!, gamma, beta, eps, c, l);
        return (y, dx, dgamma, dbeta, runningMean ?? [], runningVariance ?? []);
    }
}
