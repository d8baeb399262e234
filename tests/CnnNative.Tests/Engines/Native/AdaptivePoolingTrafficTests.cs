using CnnNative.Engines;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Adaptive average pooling moves each byte about once, though its windows overlap.</summary>
public sealed class AdaptivePoolingTrafficTests : CounterTests
{
    private static IEnumerable<TestCaseData> Problems() =>
        from sides in ((int Input, int Output)[])[(13, 6), (5, 7), (32, 7), (100, 6), (40, 30), (56, 7)]
        from layout in Enum.GetValues<Layout>()
        from type in (DType[])[DType.Float32, DType.BFloat16]
        // In NHWC four images of 40 x 40 are too few for long blocks on every multiprocessor.
        where sides.Input != 40 || layout == Layout.Nchw
        select new TestCaseData(sides.Input, sides.Output, layout, type);

    [TestCaseSource(nameof(Problems))]
    public void MovesEachByteOnce(int input, int output, Layout layout, DType type)
    {
        var problem = new AdaptivePoolingProblem { N = 4, C = 64, H = input, W = input, P = output, Q = output };
        RunAll(problem, layout, type);
        var floor = (problem.InputShape.Count + problem.OutputShape.Count) * type.Size();
        var kernel = layout == Layout.Nchw ? "adaptive_average_pool_" : "adaptive_average_pool_vector_";
        foreach (var pass in (string[])["forward", "backward"])
        {
            AssertNearFloor(kernel + pass + Suffix(type), floor);
            if (layout == Layout.Nhwc) Assert.That(EmulatedCounters.Of(kernel + pass + Suffix(type)).WidestGlobalAccess, Is.EqualTo(16));
        }
    }

    private void RunAll(AdaptivePoolingProblem problem, Layout layout, DType type)
    {
        using var scope = Device.Inference();
        var side = new Side(Device, type);
        Tensor x = side.Of(Random(problem.InputShape.Count, 1), problem.InputShape, layout), y = side.Empty(problem.OutputShape, layout);
        var dx = side.Empty(problem.InputShape, layout);
        Cuda.Synchronize();
        EmulatedCounters.Reset(ofBlocks: true);
        Device.Engine.Pooling.AdaptiveAverageForward(problem, x, y);
        Device.Engine.Pooling.AdaptiveAverageBackward(problem, y, dx);
        Cuda.Synchronize();
    }
}
