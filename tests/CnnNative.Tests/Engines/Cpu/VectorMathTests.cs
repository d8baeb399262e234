using System.Runtime.Intrinsics;
using CnnNative.Engines.Cpu;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Elementary functions against the runtime's in double, over all floats (every 997th bit pattern) and the special ones.</summary>
public sealed class VectorMathTests
{
    private const int Step = 997;

    [Test]
    public void Exp() => Check(VectorMath.Exp, Math.Exp, ulps: 1.2);

    [Test]
    public void Log() => Check(VectorMath.Log, Math.Log, ulps: 1.5);

    [Test]
    public void Tanh() => Check(VectorMath.Tanh, Math.Tanh, ulps: 2);

    // exp(-x) overflows below -88.7, where the result is 0 instead of a denormal number, as in PyTorch.
    [Test]
    public void Sigmoid() => Check(VectorMath.Sigmoid, x => x < -88.722 ? 0 : 1 / (1 + Math.Exp(-x)), ulps: 2.5);

    [Test]
    public void CosSinOfTurns()
    {
        for (var i = 0; i < 1 << 24; i += 331)
        {
            var turn = i / (float)(1 << 24);
            var (cos, sin) = VectorMath.CosSinOfTurns(Vector512.Create(turn));
            Assert.That(Math.Abs(cos[0] - Math.Cos(2 * Math.PI * turn)) < 1.3e-7, $"cos of turn {turn}: {cos[0]}");
            Assert.That(Math.Abs(sin[0] - Math.Sin(2 * Math.PI * turn)) < 1.3e-7, $"sin of turn {turn}: {sin[0]}");
        }

        var (right, up) = VectorMath.CosSinOfTurns(Vector512.Create(0.25f));
        Assert.That((right[0], up[0]), Is.EqualTo((0f, 1f)));
    }

    private static void Check(Func<Vector512<float>, Vector512<float>> function, Func<double, double> exact, double ulps)
    {
        float[] special =
        [
            0f, -0f, 1f, -1f, float.Epsilon, -float.Epsilon, 1.17549435e-38f, float.MaxValue, float.MinValue, float.NaN,
            float.PositiveInfinity, float.NegativeInfinity, 88.72283f, 88.72284f, -87.33654f, -87.33655f, -103.97f, -103.98f, 0.625f, -0.625f,
        ];
        foreach (var x in special) CheckOne(function, exact, x, ulps);
        var worst = 0.0;
        for (var bits = 0L; bits <= uint.MaxValue; bits += Step) worst = Math.Max(worst, CheckOne(function, exact, BitConverter.UInt32BitsToSingle((uint)bits), ulps));
        TestContext.Out.WriteLine($"largest error {worst:F3} units in the last place");
    }

    private static double CheckOne(Func<Vector512<float>, Vector512<float>> function, Func<double, double> exact, float x, double ulps)
    {
        var (actual, expected) = (function(Vector512.Create(x))[0], exact(x));
        if (!float.IsFinite((float)expected))
        {
            if (!actual.Equals((float)expected)) Assert.Fail($"f({x:G9}) is {actual:G9}, expected {expected}");
            return 0;
        }

        var unit = Math.Max(Math.ScaleB(1, Math.ILogB(expected == 0 ? 1e-45 : expected) - 23), float.Epsilon);
        var error = Math.Abs(actual - expected) / unit;
        if (!(error <= ulps)) Assert.Fail($"f({x:G9}) is {actual:G9}, expected {expected:G12}, {error:F2} units in the last place");
        return error;
    }
}
