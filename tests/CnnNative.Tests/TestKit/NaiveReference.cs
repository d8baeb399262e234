using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.TestKit;

/// <summary>Compares a naive computation in double with golden numbers.</summary>
internal static class NaiveReference
{
    public static void Check(double[] actual, GoldenTensor expected, string what)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Values.Length), what);
        var largest = expected.Values.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
        for (var i = 0; i < actual.Length; i++)
        {
            var agrees = double.IsFinite(expected.Values[i]) ? Math.Abs(actual[i] - expected.Values[i]) <= 1e-12 * largest : actual[i].Equals(expected.Values[i]);
            Assert.That(agrees, $"{what}[{i}] is {actual[i]:G17}, expected {expected.Values[i]:G17}");
        }
    }
}
