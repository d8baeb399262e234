using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Pooling moves each byte about once: overlapping windows share rows in registers, and columns with their neighbours.</summary>
public sealed class PoolingTrafficTests : CounterTests
{
    private static IEnumerable<TestCaseData> Halving() =>
        from window in (int[])[2, 3]
        from layout in Enum.GetValues<Layout>()
        from type in (DType[])[DType.Float32, DType.BFloat16]
        select new TestCaseData(window, layout, type);

    [TestCaseSource(nameof(Halving))]
    public void HalvingMovesEachByteOnce(int window, Layout layout, DType type)
    {
        var problem = new PoolingProblem
        {
            N = 2, C = 16, H = 56, W = 56, R = window, S = window, StrideH = 2, StrideW = 2, PadH = window - 2, PadW = window - 2, DilationH = 1, DilationW = 1,
        };
        RunAll(problem, layout, type);
        long input = problem.InputShape.Count * type.Size(), output = problem.OutputShape.Count * type.Size(), places = problem.OutputShape.Count;
        AssertNearFloor("max_pool_halving_forward" + Suffix(type), input + output + places);
        AssertNearFloor("max_pool_halving_backward" + Suffix(type), input + output + places);
        AssertNearFloor("average_pool_halving_forward" + Suffix(type), input + output);
        AssertNearFloor("average_pool_halving_backward" + Suffix(type), input + output);
        var forward = Emulator.Profile("max_pool_halving_forward" + Suffix(type));
        Assert.That(forward.WidestGlobalAccess, Is.EqualTo(16));
        // In NCHW not even L1 is asked twice, but for the row that two strips share and the first column of a warp; rows of 112 bytes share sectors.
        if (layout == Layout.Nchw && type == DType.Float32) Assert.That(forward.GlobalLoadSectors * Sector, Is.LessThanOrEqualTo((ulong)(1.2 * input)));
    }

    /// <summary>The average over a whole plane.</summary>
    [TestCase(Layout.Nchw, 64, 7, "global_average_pool_planes")]
    [TestCase(Layout.Nchw, 3, 56, "global_average_pool_planes")]
    [TestCase(Layout.Nhwc, 64, 7, "global_average_pool_channels")]
    [TestCase(Layout.Nhwc, 1280, 7, "global_average_pool_channels")]
    public void AWholePlaneIsReadOnce(Layout layout, int channels, int side, string kernel)
    {
        var problem = new PoolingProblem { N = 4, C = channels, H = side, W = side, R = side, S = side, StrideH = side, StrideW = side, DilationH = 1, DilationW = 1 };
        foreach (var type in (DType[])[DType.Float32, DType.BFloat16])
        {
            RunAll(problem, layout, type, average: true);
            var floor = (problem.InputShape.Count + problem.OutputShape.Count) * type.Size();
            foreach (var pass in (string[])["_forward", "_backward"])
            {
                AssertNearFloor(kernel + pass + Suffix(type), floor);
                var counters = Emulator.Profile(kernel + pass + Suffix(type));
                Assert.That(counters.WidestGlobalAccess, Is.EqualTo(16));
                Assert.That(counters.SharedLoadWavefronts + counters.SharedStoreWavefronts, Is.EqualTo(counters.SharedIdealWavefronts), "conflicts over banks");
            }
        }
    }

    /// <summary>Runs forward and backward passes with the counters of blocks on.</summary>
    private void RunAll(PoolingProblem problem, Layout layout, DType type, bool average = false)
    {
        using var scope = Device.Inference();
        var side = new Side(Device, type);
        var engine = Device.Engine.Pooling;
        Tensor x = side.Of(Random(problem.InputShape.Count, 1), problem.InputShape, layout), y = side.Empty(problem.OutputShape, layout);
        Tensor dx = side.Empty(problem.InputShape, layout), places = Tensor.Empty(problem.OutputShape, DType.UInt8, Device, layout);
        Cuda.Synchronize();
        Emulator.ResetProfile(ofBlocks: true);
        if (!average)
        {
            engine.MaxForward(problem, x, y, places);
            engine.MaxBackward(problem, y, places, dx);
        }

        engine.AverageForward(problem, x, y);
        engine.AverageBackward(problem, y, dx);
        Cuda.Synchronize();
    }
}
