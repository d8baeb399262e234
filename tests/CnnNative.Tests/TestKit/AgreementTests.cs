using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.TestKit;

/// <summary>The comparisons that everything else relies on can fail.</summary>
public sealed class AgreementTests
{
    private const float NaN = float.NaN, Infinity = float.PositiveInfinity;

    [TestCase(new[] { 1f, 2f }, new[] { 1.0, 2.0 }, true)]
    [TestCase(new[] { 1f, 2.00001f }, new[] { 1.0, 2.0 }, false)]
    [TestCase(new[] { 1f, NaN }, new[] { 1.0, 2.0 }, false)]
    [TestCase(new[] { 1f, 2f }, new[] { 1.0, double.NaN }, false)]
    [TestCase(new[] { 1f, NaN }, new[] { 1.0, double.NaN }, true)]
    [TestCase(new[] { 1f, Infinity }, new[] { 1.0, double.PositiveInfinity }, true)]
    [TestCase(new[] { 1f, Infinity }, new[] { 1.0, double.NegativeInfinity }, false)]
    [TestCase(new[] { 1f, Infinity }, new[] { 1.0, 2.0 }, false)]
    [TestCase(new[] { 1f }, new[] { 1.0, 2.0 }, false)]
    [TestCase(new float[0], new double[0], true)]
    public void NumbersAgreeOrNot(float[] actual, double[] reference, bool agree)
    {
        Assert.That(Fails(() => Agreement.CheckRounded(actual, reference, "x")), Is.EqualTo(!agree));
        Assert.That(Fails(() => Agreement.Check(actual, reference, Cast.Float(reference), "x")), Is.EqualTo(!agree));
    }

    [Test]
    public void TheToleranceIsTwiceTheNaiveError()
    {
        Assert.That(Fails(() => Agreement.Check([1.019f], [1.0], [1.01f], "x")), Is.False);
        Assert.That(Fails(() => Agreement.Check([1.021f], [1.0], [1.01f], "x")));
        Assert.That(Fails(() => Agreement.Check([1f], [1.0], [NaN], "x")), "a naive result that is no number is no yardstick");
    }

    [Test]
    public void ASumIsKnownToTheRoundingsOfItsTerms()
    {
        float[] near = [1e-3f + 3 * MathF.Pow(2, -23)], far = [1e-3f + 6 * MathF.Pow(2, -23)];
        Assert.That(Fails(() => Agreement.Check(near, [1e-3], [1e-3f], "x")));
        Assert.That(Fails(() => Agreement.Check(near, [1e-3], [1e-3f], "x", largestTerm: 1)), Is.False);
        Assert.That(Fails(() => Agreement.Check(far, [1e-3], [1e-3f], "x", largestTerm: 1)));
    }

    [Test]
    public void AWrongGradientFailsTheCheck()
    {
        using var device = new CpuDevice(1);
        using var scope = device.Step();
        var x = Tensor.From([0.3f, -0.7f, 1.1f], [3], device);
        x.RequiresGrad = true;
        GradientCheck.Check(input => Functional.Multiply(input[0], input[0]), [x]);
        // A constant factor hides half of the gradient.
        Assert.That(Fails(() => GradientCheck.Check(input => Functional.Multiply(input[0], input[0].Detach()), [x])));
    }

    /// <summary>Whether an assertion fails, without failing this test.</summary>
    private static bool Fails(Action assertion)
    {
        using (new NUnit.Framework.Internal.TestExecutionContext.IsolatedContext())
        {
            try
            {
                assertion();
                return false;
            }
            catch (AssertionException)
            {
                return true;
            }
        }
    }
}
