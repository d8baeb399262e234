using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Interop;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>
/// What the emulator counts: products and convolutions meet no bank conflict, read and write 16 bytes at a time where layouts
/// allow it, and move no more bytes than their tiles must.
/// </summary>
[TestFixture, LeakGuard]
public sealed class TrafficTests : IDeviceFixture
{
    private CudaDevice? device;

    public Device Device => Cuda;

    private CudaDevice Cuda => device ?? throw new InvalidOperationException("the fixture is not set up");

    private Kernels Kernels => ((NativeEngine)Cuda.Engine).Context.Kernels;

    [OneTimeSetUp]
    public void Open()
    {
        device = CudaUnderTest.Open();
        if (!Emulator.IsUsed) Assert.Ignore("counters are those of the emulated driver");
    }

    [OneTimeTearDown]
    public void Close() => device?.Dispose();

    [Test]
    public void A_product_reads_each_operand_once_per_tile([Values] bool transposeA, [Values] bool transposeB)
    {
        const int size = 128, depth = 64;
        var counters = Sgemm(transposeA, transposeB, size, depth);
        Assert.That(counters.GlobalLoadBytes, Is.EqualTo(2ul * size * depth * sizeof(float)), "bytes read");
        Assert.That(counters.GlobalLoadSectors * 32, Is.EqualTo(counters.GlobalLoadBytes), "whole sectors");
        Assert.That(counters.GlobalStoreSectors * 32, Is.EqualTo((ulong)size * size * sizeof(float)), "bytes written");
        Assert.That(counters.WidestGlobalAccess, Is.EqualTo(16));
        NoConflicts(counters);
    }

    [Test]
    public void Halves_reach_matrix_units_without_conflicts([Values] bool transposeA, [Values] bool transposeB)
    {
        const int size = 128, depth = 128;
        using var scope = Cuda.Inference();
        Tensor a = Half([size, depth]), b = Half([size, depth]), c = Half([size, size]);
        EmulatedCounters.Reset();
        using (var aView = a.OnDevice())
        using (var bView = b.OnDevice())
        using (var cView = c.OnDevice())
        {
            var tile = TileSet.Halves.Tiles[0];
            var problem = new GemmProblem
            {
                M = size, N = size, K = depth, PitchA = transposeA ? size : depth, PitchB = transposeB ? depth : size, WideC = 1, RowStride = size, ColumnStride = 1,
            };
            Kernels.MmaGemm(
                TileKernels.MmaGemm(DType.BFloat16, transposeA, transposeB, tile.Shape), new LaunchConfiguration(1, tile.Threads, tile.SharedBytes), aView, bView,
                default, default, cView, default, problem, new DepthSplit { Splits = 1, StepsPerSplit = depth }, Epilogues.None);
        }

        Cuda.Synchronize();
        var forms = (transposeA ? "t" : "n") + (transposeB ? "t" : "n");
        var counters = EmulatedCounters.Of($"mma_gemm_{forms}_128x128_bf16");
        Assert.That(counters.GlobalStoreSectors * 32, Is.EqualTo((ulong)size * size * 2), "bytes written");
        Assert.That(counters.Flops, Is.GreaterThanOrEqualTo(2ul * size * size * depth));
        NoConflicts(counters);
    }

    [Test]
    public void An_implicit_product_meets_no_conflict([Values] Layout layout)
    {
        var problem = ConvolutionShapes.Problem(1, 32, 12, 12, 128, 3, 3, pad: 1);
        Run(problem, layout, forced: ConvolutionAlgorithm.ImplicitGemm);
        var name = layout == Layout.Nhwc ? "nhwc" : "nchw";
        foreach (var kernel in (string[])[$"conv_forward_{name}", $"conv_wgrad_{name}"])
        {
            var counters = Kernels.Entries.Where(entry => entry.Name.StartsWith(kernel, StringComparison.Ordinal)).Select(entry => TryProfile(entry.Name)).Single(found => found is not null)!.Value;
            Assert.That(counters.WidestGlobalAccess, Is.EqualTo(16), kernel);
            NoConflicts(counters);
        }
    }

    private static void NoConflicts(in KernelCounters counters)
    {
        Assert.That(counters.SharedLoadWavefronts + counters.SharedStoreWavefronts, Is.EqualTo(counters.SharedIdealWavefronts), "wavefronts of shared memory");
        Assert.That(counters.MaxSharedConflict, Is.EqualTo(1));
    }

    private static KernelCounters? TryProfile(string kernel)
    {
        try
        {
            return EmulatedCounters.Of(kernel);
        }
        catch (KeyNotFoundException)
        {
            return null;
        }
    }

    private KernelCounters Sgemm(bool transposeA, bool transposeB, int size, int depth)
    {
        using var scope = Cuda.Inference();
        Tensor a = Ones([size, depth]), b = Ones([size, depth]), c = Ones([size, size]);
        EmulatedCounters.Reset();
        using (var aView = a.OnDevice())
        using (var bView = b.OnDevice())
        using (var cView = c.OnDevice())
        {
            var tile = TileSet.Fma.Tiles[0];
            var problem = new GemmProblem
            {
                M = size, N = size, K = depth, PitchA = transposeA ? size : depth, PitchB = transposeB ? depth : size, WideA = 1, WideB = 1,
                WideC = (int)WideStore.Columns, RowStride = size, ColumnStride = 1,
            };
            Kernels.Sgemm(
                TileKernels.Sgemm(transposeA, transposeB, tile.Shape), new LaunchConfiguration(1, tile.Threads), aView, bView, default, default, cView, problem,
                new DepthSplit { Splits = 1, StepsPerSplit = depth }, Epilogues.None);
        }

        Cuda.Synchronize();
        return EmulatedCounters.Of($"sgemm_{(transposeA ? "t" : "n")}{(transposeB ? "t" : "n")}_128x128");
    }

    private void Run(in ConvolutionProblem problem, Layout layout, ConvolutionAlgorithm? forced)
    {
        using var scope = Cuda.Inference();
        using var hostScope = CpuDevice.Shared.Inference();
        Tensor x = Image(problem.InputShape, layout), w = Image(problem.WeightShape, layout), dy = Image(problem.OutputShape, layout);
        Tensor y = Image(problem.OutputShape, layout), dx = Image(problem.InputShape, layout), dw = Image(problem.WeightShape, layout);
        var convolution = (NativeConvolution)Cuda.Engine.Convolution;
        convolution.Forced = forced;
        EmulatedCounters.Reset();
        convolution.Forward(problem, x, w, null, ActivationKind.Identity, y);
        if (forced is null) convolution.BackwardData(problem, dy, w, dx);
        convolution.BackwardWeight(problem, x, dy, dw);
        convolution.Forced = null;
        Cuda.Synchronize();
    }

    private Tensor Image(Shape shape, Layout layout) => Tensor.Full(shape, 1f, CpuDevice.Shared).ToLayout(layout).To(Cuda);

    private Tensor Ones(Shape shape) => Tensor.Full(shape, 1f, CpuDevice.Shared).To(Cuda);

    private Tensor Half(Shape shape)
    {
        var half = Tensor.Empty(shape, DType.BFloat16, Cuda);
        ((NativeElementwise)Cuda.Engine.Elementwise).Cast(Ones(shape), half);
        return half;
    }
}
