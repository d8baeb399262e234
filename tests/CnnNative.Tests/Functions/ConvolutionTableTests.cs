using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Convolution and its gradients on random problems against the definition in double.</summary>
[EngineFixtures]
public sealed class ConvolutionTableTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static IEnumerable<TestCaseData> Problems()
    {
        var random = new Random(2026);
        for (var i = 0; i < Switches.Rows(80, 3000); i++)
        {
            var problem = RandomProblem(random);
            yield return new TestCaseData(problem, i).SetArgDisplayNames($"{i}: {problem}");
        }
    }

    [TestCaseSource(nameof(Problems))]
    public void AgreesWithDefinition(ConvolutionProblem problem, int seed)
    {
        var convolution = ConvolutionCase.Random(problem, new Random(seed), bias: seed % 3 != 0);
        var layout = seed % 2 == 0 ? Layout.Nchw : Layout.Nhwc;
        convolution.Check(convolution.On(Device, layout), convolution.InDouble(), convolution.InFloat());
    }

    /// <summary>Small numbers mostly, larger ones sometimes; every attribute varies by itself.</summary>
    private static ConvolutionProblem RandomProblem(Random random)
    {
        while (true)
        {
            var groups = random.Next(3) == 0 ? random.Next(1, 7) : 1;
            var depthwise = random.Next(5) == 0;
            var c = depthwise ? Size(24) : groups * Size(groups == 1 ? 40 : 6);
            if (depthwise) groups = c;
            int Pad(int window) => random.Next(2) == 0 ? 0 : random.Next(0, window + 1);
            var (r, s) = (random.Next(1, 6), random.Next(1, 6));
            var problem = new ConvolutionProblem
            {
                N = Size(5), C = c, H = Size(25), W = Size(25), K = groups * Size(depthwise ? 2 : groups == 1 ? 40 : 6), R = r, S = s,
                PadTop = Pad(r), PadBottom = Pad(r), PadLeft = Pad(s), PadRight = Pad(s),
                StrideH = random.Next(1, 4), StrideW = random.Next(1, 4),
                DilationH = Math.Max(1, random.Next(-3, 4)), DilationW = Math.Max(1, random.Next(-3, 4)), Groups = groups,
                PaddingMode = (PaddingMode)Math.Max(0, random.Next(-3, 4)),
            };
            if (IsPossible(problem) && problem.MultiplyAdds < 2_000_000) return problem;
        }

        int Size(int largest) => random.Next(4) == 0 ? 1 : random.Next(1, largest + 1);
    }

    private static bool IsPossible(in ConvolutionProblem p)
    {
        var (rows, columns) = (Math.Max(p.PadTop, p.PadBottom), Math.Max(p.PadLeft, p.PadRight));
        var fits = p.DilationH * (p.R - 1) < p.H + p.PadTop + p.PadBottom && p.DilationW * (p.S - 1) < p.W + p.PadLeft + p.PadRight;
        return fits && p.PaddingMode switch
        {
            PaddingMode.Reflect => rows < p.H && columns < p.W,
            PaddingMode.Circular => rows <= p.H && columns <= p.W,
            _ => true,
        };
    }
}
