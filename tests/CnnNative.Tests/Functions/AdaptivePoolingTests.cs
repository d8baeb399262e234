using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Adaptive and global average pooling and their gradients: against PyTorch's float64, and on random problems against the definition.</summary>
[EngineFixtures]
public sealed class AdaptivePoolingTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static IEnumerable<TestCaseData> Cases => Golden.Cases("adaptive_pooling");

    private static IEnumerable<TestCaseData> Problems()
    {
        var random = new Random(443);
        for (var i = 0; i < Switches.Rows(60, 3000); i++)
        {
            // Every third is global; half of the others have less to give than to make along some axis.
            var (p, q) = i % 3 == 0 ? (1, 1) : (random.Next(1, 24), random.Next(1, 24));
            var problem = new AdaptivePoolingProblem
            {
                N = random.Next(1, 4), C = random.Next(1, 40), H = random.Next(1, 24), W = random.Next(1, 40), P = p, Q = q,
            };
            yield return new TestCaseData(problem, i).SetArgDisplayNames($"{i}: {problem}");
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void AgreesWithPyTorch(GoldenCase golden)
    {
        var pooling = AdaptivePoolingCase.Of(golden);
        var naive = pooling.InFloat();
        foreach (var layout in Enum.GetValues<Layout>())
        {
            var (y, dx) = pooling.On(Device, layout);
            Agreement.Check(y, golden["y"].Values, naive.Y, $"y in {layout}");
            Agreement.Check(dx, golden["dx"].Values, naive.Dx, $"dx in {layout}");
        }
    }

    [TestCaseSource(nameof(Problems))]
    public void AgreesWithTheDefinition(AdaptivePoolingProblem problem, int seed)
    {
        var random = new Random(seed);
        float[] Numbers(Shape shape) => Array.ConvertAll(new float[shape.Count], _ => random.NextSingle() - 0.5f);
        var pooling = new AdaptivePoolingCase(problem, Numbers(problem.InputShape), Numbers(problem.OutputShape));
        var (reference, naive) = (pooling.InDouble(), pooling.InFloat());
        var (y, dx) = pooling.On(Device, seed % 4 < 2 ? Layout.Nchw : Layout.Nhwc);
        Agreement.Check(y, reference.Y, naive.Y, "y");
        Agreement.Check(dx, reference.Dx, naive.Dx, "dx");
    }

    [Test]
    public void RunsAgainWithTheSameBits([Values(6, 1)] int output, [Values] Layout layout)
    {
        var problem = new AdaptivePoolingProblem { N = 3, C = 24, H = 13, W = 17, P = output, Q = output };
        var random = new Random(7);
        float[] Numbers(Shape shape) => Array.ConvertAll(new float[shape.Count], _ => random.NextSingle() - 0.5f);
        var pooling = new AdaptivePoolingCase(problem, Numbers(problem.InputShape), Numbers(problem.OutputShape));
        var (first, second) = (pooling.On(Device, layout), pooling.On(Device, layout));
        Assert.That(Bits(second.Y), Is.EqualTo(Bits(first.Y)));
        Assert.That(Bits(second.Dx), Is.EqualTo(Bits(first.Dx)));
    }

    [Test]
    public void ASizeThatDividesIsAnOrdinaryPooling([Values] Layout layout)
    {
        using var scope = Device.Inference();
        var x = Tensor.Uniform([2, 8, 12, 15], device: Device).ToLayout(layout);
        Assert.That(
            Bits(Functional.AdaptiveAvgPool2d(x, (4, 3)).ToArray<float>()), Is.EqualTo(Bits(Functional.AvgPool2d(x, (3, 5)).ToArray<float>())));
        Assert.That(Bits(Functional.GlobalAvgPool2d(x).ToArray<float>()), Is.EqualTo(Bits(Functional.AvgPool2d(x, (12, 15)).ToArray<float>())));
        Assert.That(Functional.AdaptiveAvgPool2d(x, (12, 15)).ToArray<float>(), Is.EqualTo(x.ToArray<float>()), "to its own size");
    }

    private static uint[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToUInt32Bits);
}
