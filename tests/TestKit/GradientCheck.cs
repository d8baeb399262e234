using NUnit.Framework;

namespace CnnNative.TestKit;

/// <summary>
/// Compares gradients with central differences of the function itself: an oracle that needs no second implementation.
/// The function's outputs are weighted by fixed numbers, so that every output takes part.
/// </summary>
public static class GradientCheck
{
    /// <summary>Asserts that the gradients of f agree with its differences along random directions of all inputs.</summary>
    /// <param name="f">The function; called inside a scope of the device.</param>
    /// <param name="inputs">Float32 tensors; those that require a gradient are checked.</param>
    /// <param name="step">Half the distance of the two points; inputs of about 1 are assumed.</param>
    /// <param name="tolerance">Of the difference, relative to the size of the derivative and to the rounding of f.</param>
    public static void Check(Func<Tensor[], Tensor> f, Tensor[] inputs, float step = 1f / 128, double tolerance = 0.01)
    {
        var device = inputs[0].Device;
        var random = new Random(7);
        var (gradients, weights) = Gradients(f, inputs, random);
        for (var i = 0; i < inputs.Length; i++)
        {
            if (gradients[i] is not { } gradient) continue;
            for (var trial = 0; trial < 6; trial++)
            {
                var direction = Direction(random, gradient.Length);
                var expected = gradient.Zip(direction, (g, d) => (double)g * d).Sum();
                var difference = Difference(f, inputs, i, direction, step, weights);
                // A derivative that is small by cancellation is judged by the size of its parts.
                var size = Math.Sqrt(gradient.Sum(g => (double)g * g));
                Assert.That(Math.Abs(difference - expected), Is.LessThanOrEqualTo(tolerance * (Math.Abs(expected) + size) + 1e-4),
                    $"input {i}, direction {trial}: gradient {expected:G6}, difference {difference:G6} on {device}");
            }
        }
    }

    private static (float[]?[] Gradients, float[] Weights) Gradients(Func<Tensor[], Tensor> f, Tensor[] inputs, Random random)
    {
        using var scope = inputs[0].Device.Step();
        var y = f(inputs);
        var weights = Array.ConvertAll(new float[y.Count], _ => random.NextSingle() * 2 - 1);
        y.Backward(Tensor.From(weights, y.Shape, y.Device));
        var gradients = Array.ConvertAll(inputs, input => input.RequiresGrad ? input.Grad!.ToArray<float>() : null);
        foreach (var input in inputs) input.ZeroGrad();
        return (gradients, weights);
    }

    /// <summary>(f(x + step * d) - f(x - step * d)) / (2 step), with f's outputs weighted and summed in double.</summary>
    private static double Difference(Func<Tensor[], Tensor> f, Tensor[] inputs, int moved, float[] direction, float step, float[] weights)
    {
        var start = inputs[moved].ToArray<float>();
        double Value(float distance)
        {
            inputs[moved].CopyFrom<float>(start.Zip(direction, (x, d) => x + distance * d).ToArray());
            using var scope = inputs[moved].Device.Inference();
            return f(inputs).ToArray<float>().Zip(weights, (y, weight) => (double)y * weight).Sum();
        }

        var difference = (Value(step) - Value(-step)) / (2 * (double)step);
        inputs[moved].CopyFrom<float>(start);
        return difference;
    }

    private static float[] Direction(Random random, int length) => Array.ConvertAll(new float[length], _ => random.Next(2) * 2f - 1f);
}
