using CnnNative.Engines;
using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Adaptive average pooling on the device against the CPU's, each way through the kernels, and how its blocks share the work.</summary>
public sealed class NativeAdaptivePoolingTests : NativeTests
{
    private static IEnumerable<TestCaseData> Problems()
    {
        AdaptivePoolingProblem[] problems =
        [
            Problem(2, 16, 13, 13, 6, 6),
            Problem(1, 5, 9, 16, 4, 5),
            Problem(2, 8, 5, 5, 7, 7),
            Problem(1, 24, 1, 3, 4, 2),
            // Slices of channels, of which the last is shorter, and channels that are no vectors.
            Problem(2, 104, 7, 6, 3, 4),
            Problem(1, 75, 6, 5, 4, 4),
            // Windows of one size: 3 x 4, and several outputs to an input.
            Problem(2, 16, 9, 8, 3, 2),
            Problem(1, 8, 3, 2, 6, 8),
            // Lanes share windows; a block has many rows, and takes several turns.
            Problem(1, 32, 67, 71, 3, 2),
            Problem(1, 3, 50, 100, 49, 99),
            // Products of an index and a size beyond 2^31.
            Problem(1, 1, 1, 50_000, 1, 60_000),
        ];
        return from type in Types
               from problem in problems
               from layout in Enum.GetValues<Layout>()
               select new TestCaseData(type, problem, layout);
    }

    [TestCaseSource(nameof(Problems))]
    public void AgreesWithTheCpu(DType type, AdaptivePoolingProblem problem, Layout layout)
    {
        var x = Random(problem.InputShape.Count, 1);
        x[0] = float.NaN;
        Compare(type, 4, side =>
        {
            var engine = side.Device.Engine.Pooling;
            Tensor input = side.Of(x, problem.InputShape, layout), dy = side.Of(Random(problem.OutputShape.Count, 2), problem.OutputShape, layout);
            Tensor y = side.Empty(problem.OutputShape, layout), dx = side.Empty(problem.InputShape, layout);
            engine.AdaptiveAverageForward(problem, input, y);
            engine.AdaptiveAverageBackward(problem, dy, dx);
            return [y, dx];
        });
    }

    private static IEnumerable<TestCaseData> Images()
    {
        Shape[] shapes =
        [
            [2, 5, 1, 1], [3, 7, 2, 3], [2, 16, 7, 7], [2, 104, 5, 3], [300, 24, 3, 3], [40, 8, 17, 16],
            // A block for a plane; channels that are no vectors, whose sums are of one thread and short therefore.
            [1, 3, 120, 131], [3, 75, 9, 11],
        ];
        return from type in Types
               from shape in shapes
               from layout in Enum.GetValues<Layout>()
               where layout == Layout.Nchw || shape[2] < 100
               select new TestCaseData(type, shape, layout);
    }

    /// <summary>Vectors of 16 bytes lie across the edges of planes; a NaN in one plane stays in its mean.</summary>
    [TestCaseSource(nameof(Images))]
    public void MeansOfImagesAgreeWithTheCpu(DType type, Shape shape, Layout layout)
    {
        var x = Random(shape.Count, 1);
        x[0] = x[^1] = float.NaN;
        Compare(type, 4, side =>
        {
            var engine = side.Device.Engine.Pooling;
            var problem = Problem(shape[0], shape[1], shape[2], shape[3], 1, 1);
            Tensor input = side.Of(x, shape, layout), dy = side.Of(Random(problem.OutputShape.Count, 2), problem.OutputShape, layout);
            Tensor y = side.Empty(problem.OutputShape, layout), dx = side.Empty(shape, layout);
            engine.AdaptiveAverageForward(problem, input, y);
            engine.AdaptiveAverageBackward(problem, dy, dx);
            return [y, dx];
        });
    }

    [Test]
    public void LanesOfAPlaneHaveFourVectorsEachUnlessPlanesAreFew()
    {
        static GlobalAverage Plan(int n, int c, int side, DType type = DType.Float32) => GlobalAverage.PlanesForward(Problem(n, c, side, side, 1, 1).Even!.Value, type);
        Assert.That(Plan(64, 2048, 7), Is.EqualTo(new GlobalAverage(new(64 * 2048 / 64, 256), 2, default)), "12 vectors of 4 to 4 lanes");
        Assert.That(Plan(64, 2048, 14, DType.BFloat16).Bits, Is.EqualTo(3), "24 vectors of 8 to 8 lanes");
        Assert.That(Plan(64, 2048, 56).Bits, Is.EqualTo(5), "a warp at most");
        Assert.That(Plan(1, 2048, 7).Bits, Is.EqualTo(4), "12 vectors, one to a lane");
        Assert.That(Plan(1, 64, 56), Is.EqualTo(new GlobalAverage(new(64, 256), 8, default)), "a block each for few large planes");
        Assert.That(() => Plan(1 << 20, 1 << 10, 2), Throws.InstanceOf<EngineNotSupportedException>());
    }

    [Test]
    public void BlocksTakeSlicesOfChannels()
    {
        static GlobalAverage Plan(int n, int c) => GlobalAverage.Channels(Problem(n, c, 7, 7, 1, 1).Even!.Value, DType.BFloat16);
        Assert.That((Plan(64, 2048).Bits, Plan(64, 2048).Launch.Grid.X), Is.EqualTo((5, 64 * 8)));
        Assert.That((Plan(1, 2048).Bits, Plan(1, 2048).Launch.Grid.X), Is.EqualTo((3, 32)), "128 bytes of channels where images are few");
        Assert.That((Plan(64, 24).Bits, Plan(64, 24).Launch.Grid.X), Is.EqualTo((2, 64)), "3 vectors");
    }

    [Test]
    public void WholeAlignedImagesWithoutPaddingAreTaken()
    {
        var whole = Problem(1, 12, 7, 9, 1, 1).Even!.Value;
        bool Taken(PoolingProblem problem, Layout layout = Layout.Nchw, DType type = DType.Float32, bool aligned = true) => GlobalAverage.Takes(problem, layout, type, aligned);
        Assert.That(Taken(whole), Is.True);
        Assert.That(Taken(whole, Layout.Nhwc), Is.True);
        Assert.That(Taken(whole, Layout.Nhwc, DType.BFloat16), Is.False, "12 channels are not whole vectors of 8");
        Assert.That(Taken(whole, aligned: false), Is.False);
        Assert.That(Taken(whole with { StrideH = 1, StrideW = 2, CeilMode = true }), Is.True, "there is one window, whatever the stride");
        Assert.That(Taken(whole with { PadH = 1 }), Is.False);
        Assert.That(Taken(whole with { R = 6 }), Is.False);
    }

    [Test]
    public void BlocksTakeWholePlanesWhereTheyAreSmall()
    {
        var nchw = AdaptiveGeometry.Forward(Problem(64, 512, 13, 13, 6, 6), Layout.Nchw, DType.Float32, 1);
        Assert.That(nchw.PerBlock, Is.EqualTo(7 * 36), "7 planes of 6 x 6 fill 256 threads best");
        Assert.That(nchw.Launch, Is.EqualTo(new Interop.LaunchConfiguration((64 * 512 + 6) / 7, 256)));
        var nhwc = AdaptiveGeometry.Forward(Problem(64, 512, 13, 13, 6, 6), Layout.Nhwc, DType.BFloat16, 8);
        Assert.That(nhwc.PerBlock, Is.EqualTo(36 * 8), "a plane of slices of 8 vectors");
        Assert.That(nhwc.Launch, Is.EqualTo(new Interop.LaunchConfiguration(64 * 8, 160)), "288 threads' work in two turns of 144");
    }

    [Test]
    public void BlocksAreLongAgainstWhatTheyShare()
    {
        var rows = AdaptiveGeometry.Forward(Problem(64, 64, 112, 112, 75, 75), Layout.Nchw, DType.Float32, 1).PerBlock / 75.0;
        Assert.That(rows * 112 / 75, Is.InRange(8, 12), "rows of x");
        var few = AdaptiveGeometry.Forward(Problem(1, 16, 112, 112, 75, 75), Layout.Nchw, DType.Float32, 1);
        Assert.That(few.Launch.Grid.Count, Is.GreaterThan(132), "few planes are spread over the device all the same");
    }

    [Test]
    public void SlicesAreEqualAndOfWholeSectors()
    {
        static (int Slices, int Vectors) Slices(int channels, int width, DType type) =>
            AdaptiveGeometry.Forward(Problem(1, channels, 13, 13, 6, 6), Layout.Nhwc, type, width) is var g ? (Of(g.Slices), Of(g.Vectors)) : default;
        Assert.That(Slices(32, 4, DType.Float32), Is.EqualTo((1, 8)));
        Assert.That(Slices(512, 8, DType.BFloat16), Is.EqualTo((8, 8)));
        Assert.That(Slices(48, 4, DType.Float32), Is.EqualTo((2, 6)));
        Assert.That(Slices(72, 4, DType.Float32), Is.EqualTo((3, 6)));
        Assert.That(Slices(52, 4, DType.Float32), Is.EqualTo((2, 8)), "13 vectors: the second slice is shorter");
        Assert.That(Slices(75, 1, DType.Float32), Is.EqualTo((3, 32)), "single elements");
    }

    [Test]
    public void LanesShareLargeWindows()
    {
        static int Lanes(int side, int output, Layout layout, int width = 1) =>
            Of(AdaptiveGeometry.Forward(Problem(1, 64, side, side, output, output), layout, DType.Float32, width).Lanes);
        Assert.That(Lanes(224, 6, Layout.Nchw), Is.EqualTo(32));
        Assert.That(Lanes(71, 5, Layout.Nchw), Is.EqualTo(8), "windows of 14 or 15 columns");
        Assert.That(Lanes(13, 6, Layout.Nchw), Is.EqualTo(1));
        Assert.That(Lanes(224, 6, Layout.Nhwc, 4), Is.EqualTo(4), "beside 8 vectors of channels");
        Assert.That(Of(AdaptiveGeometry.Backward(Problem(1, 64, 224, 224, 6, 6), Layout.Nchw, DType.Float32, 1).Lanes), Is.EqualTo(1));
    }

    [Test]
    public void AGradientGoesDownStripsThatLeaveEnoughThreads()
    {
        static AdaptiveGeometry Plan(int n, int c, int side, int output) => AdaptiveGeometry.Backward(Problem(n, c, side, side, output, output), Layout.Nchw, DType.Float32, 1);
        Assert.That((Plan(64, 512, 13, 6).StripRows, Of(Plan(64, 512, 13, 6).Strips)), Is.EqualTo((13, 1)), "whole columns");
        Assert.That((Plan(64, 512, 50, 6).StripRows, Of(Plan(64, 512, 50, 6).Strips)), Is.EqualTo((13, 4)), "equal strips of at most 16 rows");
        Assert.That((Plan(1, 64, 50, 6).StripRows, Of(Plan(1, 64, 50, 6).Strips)), Is.EqualTo((4, 13)), "shorter ones where planes are few");
        Assert.That(AdaptiveGeometry.Forward(Problem(64, 512, 50, 50, 6, 6), Layout.Nchw, DType.Float32, 1).StripRows, Is.EqualTo(1));
    }

    [Test]
    public void MoreElementsThanAnIntCountsAreRefused() =>
        Assert.That(
            () => AdaptiveGeometry.Forward(Problem(1 << 20, 64, 3, 3, 8, 8), Layout.Nchw, DType.Float32, 1),
            Throws.InstanceOf<EngineNotSupportedException>().With.Message.Contains("AdaptiveAvgPool2d"));

    private static AdaptivePoolingProblem Problem(int n, int c, int h, int w, int p, int q) => new() { N = n, C = c, H = h, W = w, P = p, Q = q };

    /// <summary>What a divisor divides by: the first number that it takes to 1.</summary>
    private static int Of(FastDivisor divisor)
    {
        var value = 1;
        while (divisor.Divide(value) == 0) value++;
        return value;
    }
}
