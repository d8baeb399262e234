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
        Assert.That(problem.Even, Is.Null, "an even problem takes other kernels");
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
