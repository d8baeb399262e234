using CnnNative.Optimizers;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Optimizers;

/// <summary>Twenty steps against torch.optim in float64; one parameter gets its first gradient in the third step.</summary>
[EngineFixtures]
public sealed class OptimizerGoldenTests(EngineUnderTest engine) : EngineTests(engine)
{
    private const int Parameters = 3;

    private static IEnumerable<TestCaseData> Cases => Golden.Cases("optimizer");

    [TestCaseSource(nameof(Cases))]
    public void AgreesWithGolden(GoldenCase golden)
    {
        using var outer = Device.Step();
        var parameters = Enumerable.Range(0, Parameters).Select(i => golden.Tensor($"p{i}", Device, requiresGrad: true)).ToArray();
        using var optimizer = Create(golden, parameters);
        var naive = OptimizerReference.Steps<float>(golden);
        for (var step = 1; step <= 20; step++)
        {
            using (Device.Step())
            {
                for (var i = 0; i < Parameters; i++)
                {
                    if (IsLate(golden, i, step)) continue;
                    SetGradient(parameters[i], GradientOf(golden, i, step));
                }

                optimizer.Step();
            }

            if (!golden.Ints("checked").Contains(step)) continue;
            for (var i = 0; i < Parameters; i++)
            {
                Agreement.Check(parameters[i].ToArray<float>(), golden[$"p{i}_after_{step}"].Values, naive[(i, step)], $"parameter {i} after step {step}");
            }
        }
    }

    /// <summary>Whether a parameter has no gradient in a step.</summary>
    internal static bool IsLate(GoldenCase golden, int parameter, int step) => parameter == Parameters - 1 && step <= golden.Int("late");

    /// <summary>The gradient that the case gives in a step, from 1.</summary>
    internal static double[] GradientOf(GoldenCase golden, int parameter, int step)
    {
        var all = golden[$"g{parameter}"];
        var count = (int)all.Shape.CountFrom(1);
        return all.Values[((step - 1) * count)..(step * count)];
    }

    /// <summary>Leaves a given gradient, by way of a function that has it: sum(p * g).</summary>
    private void SetGradient(Tensor parameter, double[] gradient)
    {
        var factor = Tensor.From(Cast.Float(gradient), parameter.Shape, Device);
        Functional.Sum(Functional.Multiply(parameter, factor)).Backward();
    }

    private static Optimizer Create(GoldenCase golden, Tensor[] parameters)
    {
        var (rate, decay) = (golden.Float("lr"), golden.Float("weight_decay", 0));
        if (golden.Text("kind") == "sgd")
            return new Sgd(parameters, rate, golden.Float("momentum", 0), golden.Float("dampening", 0), decay, golden.Bool("nesterov"));
        var betas = golden.HasAttribute("betas") ? golden.Floats("betas") : [0.9f, 0.999f];
        return new Adam(parameters, rate, betas[0], betas[1], golden.Float("eps", 1e-8f), decay);
    }
}
