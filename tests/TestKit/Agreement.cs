using NUnit.Framework;

namespace CnnNative.TestKit;

/// <summary>
/// Whether an engine's numbers agree with a reference. The tolerance belongs to the case: twice the largest error that a
/// naive computation in the same data type makes on the same inputs, and a few roundings of the largest value. All
/// comparisons are positive, so that NaN never passes for a number.
/// </summary>
public static class Agreement
{
    /// <summary>Roundings of the largest value that an engine may be off where the naive computation happens to be exact.</summary>
    private const double Roundings = 4;

    /// <summary>The distance of 1 and the next number of a data type.</summary>
    public static double Epsilon(DType type) => type switch
    {
        DType.Float32 => Math.Pow(2, -23),
        DType.BFloat16 => Math.Pow(2, -7),
        DType.Float16 => Math.Pow(2, -10),
        _ => 0,
    };

    /// <summary>Asserts that numbers agree with a reference.</summary>
    /// <param name="actual">The engine's numbers.</param>
    /// <param name="reference">The true numbers.</param>
    /// <param name="naive">The same in the engine's precision, computed naively.</param>
    /// <param name="what">Name for the message.</param>
    /// <param name="type">The engine's data type.</param>
    /// <param name="largestTerm">Of sums that may nearly cancel, the largest of the terms: a sum is known to the roundings of its terms, not of its own value.</param>
    public static void Check(float[] actual, double[] reference, float[] naive, string what, DType type = DType.Float32, double largestTerm = 0)
    {
        Assert.That(naive, Has.Length.EqualTo(reference.Length), $"{what}: elements of the naive computation");
        Within(actual, reference, 2 * LargestError(naive, reference) + Roundings * Epsilon(type) * Math.Max(Largest(reference), largestTerm), what);
    }

    /// <summary>Asserts that numbers agree with a reference but for a few roundings of the largest value.</summary>
    public static void CheckRounded(float[] actual, double[] reference, string what, DType type = DType.Float32) =>
        Within(actual, reference, Roundings * Epsilon(type) * Largest(reference), what);

    /// <summary>Asserts that numbers are those of the reference, exactly.</summary>
    public static void CheckExact(float[] actual, double[] reference, string what) => Within(actual, reference, 0, what);

    /// <summary>Asserts that numbers differ from a reference by no more than a tolerance; NaN and infinities must be in the same places.</summary>
    public static void Within(float[] actual, double[] reference, double tolerance, string what)
    {
        Assert.That(actual, Has.Length.EqualTo(reference.Length), $"{what}: elements");
        Assert.That(double.IsFinite(tolerance), $"{what}: tolerance {tolerance}");
        for (var i = 0; i < actual.Length; i++)
        {
            var agrees = double.IsFinite(reference[i])
                ? Math.Abs(actual[i] - reference[i]) <= tolerance
                : ((double)actual[i]).Equals(reference[i]);
            if (!agrees) Assert.Fail($"{what}[{i}] is {actual[i]:G9}, expected {reference[i]:G12}, tolerance {tolerance:G3}; {Summary(actual, reference, tolerance)}");
        }
    }

    private static string Summary(float[] actual, double[] reference, double tolerance)
    {
        var wrong = Enumerable.Range(0, actual.Length).Where(i => !(Math.Abs(actual[i] - reference[i]) <= tolerance) && !((double)actual[i]).Equals(reference[i])).ToList();
        return $"{wrong.Count} of {actual.Length} elements are off, largest error {LargestError(actual, reference):G3}, largest value {Largest(reference):G3}";
    }

    private static double Largest(double[] values) => values.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();

    private static double LargestError(float[] values, double[] reference) =>
        values.Zip(reference, (value, expected) => double.IsFinite(expected) ? Math.Abs(value - expected) : 0).DefaultIfEmpty(0).Max();
}
