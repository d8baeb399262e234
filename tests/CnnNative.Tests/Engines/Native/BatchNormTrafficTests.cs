using CnnNative.Engines;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Batch normalisation in passes over memory: what its kernels move together, over the bytes of one tensor.</summary>
public sealed class BatchNormTrafficTests : CounterTests
{
    private static readonly string[] Forward = ["batch_norm_statistics_{0}", "batch_norm_apply"];
    private static readonly string[] Backward = ["batch_norm_gradient_sums_{0}", "batch_norm_input_gradient"];

    private static IEnumerable<TestCaseData> Problems() =>
        from layout in Enum.GetValues<Layout>()
        from type in (DType[])[DType.Float32, DType.BFloat16]
        select new TestCaseData(layout, type);

    /// <summary>Forward reads x twice and writes y; backward reads x and dy twice and writes dx. ReLU costs nothing.</summary>
    [TestCaseSource(nameof(Problems))]
    public void LargeChannelsTakeThreePassesAndFive(Layout layout, DType type)
    {
        Shape shape = [9, 16, 64, 64];
        Run(shape, layout, type, residual: false);
        AssertPasses(3, Forward, shape, layout, type);
        AssertPasses(5, Backward, shape, layout, type);
    }

    /// <summary>Parameters of neighbouring channels come 16 bytes at a time: number by number they would ask L1 for each sector eight times.</summary>
    [Test]
    public void ParametersOfNeighboursAreReadInVectors([Values(DType.Float32, DType.BFloat16)] DType type)
    {
        Run([2, 512, 48, 48], Layout.Nhwc, type, residual: false);
        foreach (var kernel in (string[])["batch_norm_apply", "batch_norm_input_gradient"])
        {
            var counters = EmulatedCounters.Of(kernel + Suffix(type));
            Assert.That((double)counters.GlobalLoadSectors * Sector / counters.GlobalLoadBytes, Is.InRange(1.0, 2.1), $"{kernel}: bytes of the sectors asked for, over those read");
        }
    }

    /// <summary>Forward reads the residual too; backward writes its gradient, and reads a bit per element twice.</summary>
    [TestCaseSource(nameof(Problems))]
    public void AResidualTakesOneMoreEach(Layout layout, DType type)
    {
        Shape shape = [9, 16, 64, 64];
        Run(shape, layout, type, residual: true);
        AssertPasses(4, Forward, shape, layout, type);
        AssertPasses(6, Backward, shape, layout, type);
    }

    /// <summary>What fits a block is read once, and not from L1 again.</summary>
    [Test]
    public void SmallChannelsOfPlanesAreReadOnce([Values(DType.Float32, DType.BFloat16)] DType type)
    {
        Shape shape = [16, 16, 16, 16];
        var pass = shape.Count * type.Size();
        Run(shape, Layout.Nchw, type, residual: false);
        AssertTraffic(EmulatedCounters.Of("batch_norm_small_planes" + Suffix(type)), pass, pass, excess: 1.05);
        var backward = EmulatedCounters.Of("batch_norm_small_backward_planes" + Suffix(type));
        AssertTraffic(backward, 2 * pass, pass, excess: 1.1);
        Assert.That((backward.WidestGlobalAccess, backward.WidestSharedAccess), Is.EqualTo((16, 16)));
        Assert.That(backward.MaxSharedConflict, Is.LessThanOrEqualTo(1), "ways of the worst conflict");
    }

    /// <summary>
    /// A block takes a sector's width of channels, and all pixels. Beside them each of its warps reads the statistics of the channels (from L1: the
    /// distinct sectors of a block are counted too), a few percent of a pass.
    /// </summary>
    [TestCase(16, 16, 16, 7)]
    [TestCase(32, 64, 7, 7)]
    [TestCase(8, 48, 14, 14)]
    public void SmallChannelsOfRowsAreReadOnce(int n, int c, int h, int w)
    {
        foreach (var type in (DType[])[DType.Float32, DType.BFloat16])
        {
            Shape shape = [n, c, h, w];
            var pass = shape.Count * type.Size();
            Run(shape, Layout.Nhwc, type, residual: false);
            AssertTraffic(EmulatedCounters.Of("batch_norm_small_rows" + Suffix(type)), pass, pass, excess: 1.05);
            AssertNearFloor("batch_norm_small_rows" + Suffix(type), 2 * pass);
            var backward = EmulatedCounters.Of("batch_norm_small_backward_rows" + Suffix(type));
            AssertTraffic(backward, 2 * pass, pass, excess: 1.2);
            AssertNearFloor("batch_norm_small_backward_rows" + Suffix(type), 3 * pass);
            Assert.That((backward.WidestGlobalAccess, backward.WidestSharedAccess), Is.EqualTo((16, 16)));
            Assert.That(backward.MaxSharedConflict, Is.LessThanOrEqualTo(2), "ways of the worst conflict");
        }
    }

    private static void AssertPasses(int passes, string[] kernels, Shape shape, Layout layout, DType type)
    {
        ulong moved = 0;
        foreach (var kernel in kernels)
        {
            var counters = EmulatedCounters.Of(string.Format(kernel, layout == Layout.Nchw ? "planes" : "rows") + Suffix(type));
            Assert.That(counters.WidestGlobalAccess, Is.EqualTo(16), kernel);
            Assert.That(counters.MaxSharedConflict, Is.LessThanOrEqualTo(2), kernel);
            moved += (counters.GlobalLoadBlockSectors + counters.GlobalStoreBlockSectors) * Sector;
        }

        var pass = (double)shape.Count * type.Size();
        Assert.That(moved / pass, Is.InRange(passes, 1.15 * passes), "passes");
    }

    /// <summary>One training step of a batch normalisation with ReLU, with the counters of blocks on.</summary>
    private void Run(Shape shape, Layout layout, DType type, bool residual)
    {
        using var scope = Device.Inference();
        var side = new Side(Device, type);
        var engine = Device.Engine.Normalization;
        var channels = shape[1];
        Tensor x = side.Of(Random(shape.Count, 1), shape, layout), y = side.Empty(shape, layout), dx = side.Empty(shape, layout);
        Tensor mean = side.EmptyFloat(channels), inverse = side.EmptyFloat(channels), dgamma = side.EmptyFloat(channels), dbeta = side.EmptyFloat(channels);
        Tensor? summand = residual ? side.Of(Random(shape.Count, 2), shape, layout) : null, dresidual = residual ? side.Empty(shape, layout) : null;
        Cuda.Synchronize();
        EmulatedCounters.Reset(ofBlocks: true);
        var decisions = engine.BatchForward(x, null, null, 1e-5f, y, mean, inverse, new(summand, ActivationKind.Relu, ForGradient: true));
        engine.BatchBackward(x, y, null, mean, inverse, true, dx, dgamma, dbeta, new(ActivationKind.Relu, null, decisions, dresidual));
        Cuda.Synchronize();
    }
}
