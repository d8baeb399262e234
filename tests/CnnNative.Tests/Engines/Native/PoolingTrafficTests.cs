using CnnNative.Engines;
using CnnNative.Interop;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Pooling moves each byte about once, in accesses of 16 bytes: what overlapping windows share stays in registers or shared memory.</summary>
public sealed class PoolingTrafficTests : CounterTests
{
    /// <summary>Instructions of the lanes per element of x that no type may exceed.</summary>
    public sealed record Instructions(double MaxForward, double MaxBackward, double AverageForward, double AverageBackward);

    private static IEnumerable<TestCaseData> Windows()
    {
        foreach (var (name, problem, nchw, nhwc) in All())
        {
            foreach (var type in Types)
            {
                yield return Case(Layout.Nchw, nchw);
                yield return Case(Layout.Nhwc, nhwc);

                TestCaseData Case(Layout layout, Instructions most) => new TestCaseData(problem, layout, type, most).SetArgDisplayNames(name, $"{layout}", $"{type}");
            }
        }

        static IEnumerable<(string Name, PoolingProblem Problem, Instructions Nchw, Instructions Nhwc)> All()
        {
            yield return ("2x2 in steps of 2", Problem(2, 2), new(18, 17, 13, 14), new(20, 16, 14, 9));
            yield return ("2x2 in steps of 1", Problem(2, 1), new(75, 80, 69, 79), new(42, 61, 41, 47));
            yield return ("3x3 in steps of 2", Problem(3, 2, pad: 1), new(33, 26, 19, 23), new(33, 25, 20, 16));
            yield return ("3x3 in steps of 1", Problem(3, 1, pad: 1), new(90, 104, 78, 95), new(57, 85, 47, 59));
            yield return ("3x3 in steps of 3", Problem(3, 3), new(32, 47, 29, 48), new(22, 23, 20, 21));
            yield return ("5x5 in steps of 2", Problem(5, 2, pad: 2), new(63, 83, 53, 71), new(76, 116, 50, 91));
            yield return ("7x7 in steps of 7", Problem(7, 7), new(31, 101, 25, 100), new(28, 40, 23, 37));
            yield return ("3x3 in steps of 2, rounded up", Problem(3, 2) with { CeilMode = true }, new(44, 62, 39, 61), new(33, 36, 30, 30));
            yield return ("3x3 in steps of 3, rounded up", Problem(3, 3) with { CeilMode = true }, new(32, 47, 29, 48), new(28, 24, 25, 22));
        }

        static PoolingProblem Problem(int window, int stride, int pad = 0) => new()
        {
            N = Switches.Full ? 8 : 1, C = 64, H = 56, W = 56, R = window, S = window, StrideH = stride, StrideW = stride, PadH = pad, PadW = pad, DilationH = 1, DilationW = 1,
        };
    }

    [TestCaseSource(nameof(Windows))]
    public void EachByteIsMovedOnce(PoolingProblem problem, Layout layout, DType type, Instructions most)
    {
        RunAll(problem, layout, type);
        var way = problem is { R: <= 3, StrideH: 2 } && problem.PadH == problem.R - 2 ? "halving" : "tile";
        long elements = (problem.InputShape.Count + problem.OutputShape.Count) * type.Size(), places = problem.OutputShape.Count;
        Check($"max_pool_{way}_forward", elements + places, most.MaxForward);
        Check($"max_pool_{way}_backward", elements + places, most.MaxBackward);
        Check($"average_pool_{way}_forward", elements, most.AverageForward);
        Check($"average_pool_{way}_backward", elements, most.AverageBackward);
        // Where windows halve a plane, not even L1 is asked twice, but for the row that two strips share and the first column of a warp;
        // rows of 112 bytes share sectors.
        if (way == "halving" && layout == Layout.Nchw && type == DType.Float32)
            Assert.That(EmulatedCounters.Of("max_pool_halving_forward_f32").GlobalLoadSectors * Sector, Is.LessThanOrEqualTo((ulong)(1.2 * problem.InputShape.Count * type.Size())));

        void Check(string kernel, long floor, double instructions)
        {
            kernel += Suffix(type);
            var counters = EmulatedCounters.Of(kernel);
            var moved = (double)((counters.GlobalLoadBlockSectors + counters.GlobalStoreBlockSectors) * Sector) / floor;
            var taken = 32.0 * counters.WarpInstructions / problem.InputShape.Count;
            TestContext.Out.WriteLine($"{kernel}: {moved:F3} of the floor, {taken:F1} instructions to an element of x, {Conflicts(counters):F2} wavefronts for one");
            Assert.That(taken, Is.LessThanOrEqualTo(instructions), $"{kernel}: instructions to an element of x");
            AssertFewConflicts(kernel, counters, problem, layout, type);
            // Steps of 3 leave out the last two of 56 rows and columns.
            Assert.That(moved, Is.InRange(problem.StrideH == 3 && !problem.CeilMode ? 0.93 : 1.0, 1.15), $"{kernel}: bytes moved, in parts of the floor");
            Assert.That(counters.WidestGlobalAccess, Is.EqualTo(16), $"{kernel}: widest access");
        }
    }

    /// <summary>
    /// Lanes that go down neighbouring columns of a plane ask for every `stride`-th word: as many banks as the step leaves, and once more
    /// where the columns of a part end within a warp. Shared memory never limits: it serves a wavefront while a multiprocessor issues four
    /// instructions.
    /// </summary>
    private static void AssertFewConflicts(string kernel, KernelCounters counters, PoolingProblem problem, Layout layout, DType type)
    {
        var wordsApart = layout == Layout.Nchw ? Math.Max(1, problem.StrideW * type.Size() / sizeof(float)) : 1;
        var banks = 1 << System.Numerics.BitOperations.TrailingZeroCount(wordsApart);
        var rest = kernel.Contains("forward") && problem.StrideW == 1 ? 1.2 : kernel.Contains("forward") ? banks + 0.8 : 1.45;
        Assert.That(Conflicts(counters), Is.LessThanOrEqualTo(rest), $"{kernel}: wavefronts for one");
        Assert.That(4 * (counters.SharedLoadWavefronts + counters.SharedStoreWavefronts), Is.LessThan(counters.WarpInstructions), $"{kernel}: wavefronts against instructions");
    }

    private static double Conflicts(KernelCounters counters) =>
        (double)(counters.SharedLoadWavefronts + counters.SharedStoreWavefronts) / Math.Max(1, counters.SharedIdealWavefronts);

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
                var counters = EmulatedCounters.Of(kernel + pass + Suffix(type));
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
        EmulatedCounters.Reset(ofBlocks: true);
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
