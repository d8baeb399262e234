using System.Numerics;
using CnnNative.TestKit;

namespace CnnNative.Tests.Optimizers;

/// <summary>A golden case of an optimizer by definition, in float or double.</summary>
internal static class OptimizerReference
{
    /// <summary>The parameters after each step, by (parameter, step).</summary>
    public static Dictionary<(int Parameter, int Step), T[]> Steps<T>(GoldenCase golden) where T : IFloatingPointIeee754<T>
    {
        T Setting(string name, double otherwise) => T.CreateChecked(golden.DoubleOr(name, otherwise));
        var betas = golden.HasAttribute("betas") ? golden.Floats("betas") : [0.9f, 0.999f];
        var results = new Dictionary<(int, int), T[]>();
        for (var i = 0; i < 3; i++)
        {
            var p = Array.ConvertAll(golden[$"p{i}"].Values, T.CreateChecked);
            var (first, second, steps) = (new T[p.Length], new T[p.Length], 0);
            for (var step = 1; step <= 20; step++)
            {
                if (!OptimizerGoldenTests.IsLate(golden, i, step))
                {
                    var g = Array.ConvertAll(OptimizerGoldenTests.GradientOf(golden, i, step), T.CreateChecked);
                    steps++;
                    if (golden.Text("kind") == "sgd")
                        NaiveOptimizer.Sgd(p, g, first, steps == 1, Setting("lr", 0), Setting("momentum", 0), Setting("dampening", 0), Setting("weight_decay", 0), golden.Bool("nesterov"));
                    else
                        NaiveOptimizer.Adam(p, g, first, second, steps, Setting("lr", 0), T.CreateChecked(betas[0]), T.CreateChecked(betas[1]), Setting("eps", 1e-8), Setting("weight_decay", 0));
                }

                results[(i, step)] = [.. p];
            }
        }

        return results;
    }
}
