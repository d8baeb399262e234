using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Pooling and its gradients on random problems, with many equal elements, against the definition in double.</summary>
[EngineFixtures]
public sealed class PoolingTableTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static IEnumerable<TestCaseData> Problems()
    {
        var random = new Random(443);
        for (var i = 0; i < Switches.Rows(60, 3000); i++)
        {
            var problem = RandomProblem(random, maximum: i % 2 == 0);
            yield return new TestCaseData(problem, i).SetArgDisplayNames($"{i}: {problem}");
        }
    }

    [TestCaseSource(nameof(Problems))]
    public void AgreesWithDefinition(PoolingProblem problem, int seed)
    {
        var random = new Random(seed);
        var x = Array.ConvertAll(new float[problem.InputShape.Count], _ => random.Next(-3, 4) / 2f);
        var dy = Array.ConvertAll(new float[problem.OutputShape.Count], _ => random.NextSingle() - 0.5f);
        var pooling = new PoolingCase(problem, Maximum: seed % 2 == 0, x, dy);
        var (reference, naive) = (pooling.InDouble(), pooling.InFloat());
        var (y, dx) = pooling.On(Device, seed % 4 < 2 ? Layout.Nchw : Layout.Nhwc);
        Agreement.Check(y, reference.Y, naive.Y, "y");
        Agreement.Check(dx, reference.Dx, naive.Dx, "dx");
    }

    private static PoolingProblem RandomProblem(Random random, bool maximum)
    {
        while (true)
        {
            var (r, s) = (random.Next(1, 6), random.Next(1, 6));
            var problem = new PoolingProblem
            {
                N = random.Next(1, 4), C = random.Next(1, 20), H = random.Next(1, 20), W = random.Next(1, 40), R = r, S = s,
                PadH = random.Next(0, r / 2 + 1), PadW = random.Next(0, s / 2 + 1),
                StrideH = random.Next(1, 5), StrideW = random.Next(1, 5),
                DilationH = maximum ? Math.Max(1, random.Next(-3, 4)) : 1, DilationW = maximum ? Math.Max(1, random.Next(-3, 4)) : 1,
                CeilMode = random.Next(2) == 0, CountIncludePad = random.Next(2) == 0,
            };
            if (problem.DilationH * (r - 1) < problem.H + 2 * problem.PadH && problem.DilationW * (s - 1) < problem.W + 2 * problem.PadW && EveryWindowSees(problem))
                return problem;
        }
    }

    /// <summary>A dilated window may step over a small image altogether; such a maximum is of nothing.</summary>
    private static bool EveryWindowSees(in PoolingProblem p) =>
        Sees(p.P, p.R, p.StrideH, p.DilationH, p.PadH, p.H) && Sees(p.Q, p.S, p.StrideW, p.DilationW, p.PadW, p.W);

    private static bool Sees(int outputs, int window, int stride, int dilation, int pad, int size) =>
        Enumerable.Range(0, outputs).All(o => Enumerable.Range(0, window).Any(r => o * stride + r * dilation - pad is var place && place >= 0 && place < size));
}
