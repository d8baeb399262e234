using CnnNative.Engines;
using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Pooling on the device against the CPU's, each way through the kernels.</summary>
public sealed class NativePoolingTests : NativeTests
{
    private static IEnumerable<TestCaseData> Problems()
    {
        PoolingProblem[] problems =
        [
            Problem(2, 8, 12, 12, 2, stride: 2),
            Problem(2, 16, 11, 13, 3, stride: 2, pad: 1),
            Problem(1, 5, 9, 9, 3, stride: 1, pad: 1),
            Problem(3, 8, 7, 7, 7, stride: 7),
            Problem(2, 3, 20, 20, 17, stride: 1),
            Problem(2, 8, 10, 9, 5, stride: 3, pad: 2) with { CeilMode = true, CountIncludePad = true },
            Problem(1, 8, 9, 14, 1, stride: 3),
            // Strips of rows, and tiles of rows and columns; dilation; rows that no tile of shared memory holds.
            Problem(1, 8, 130, 90, 3, stride: 1, pad: 1),
            Problem(1, 2, 150, 131, 5, stride: 2, pad: 2),
            Problem(1, 16, 40, 44, 3, stride: 1, pad: 1) with { DilationH = 3, DilationW = 2 },
            Problem(1, 1, 6, 9000, 5, stride: 1, pad: 2),
            // Windows of 2, 3 and 5 rows, which are unrolled: in steps as long as they, and with columns and rows that no window sees.
            Problem(1, 8, 19, 23, 2, stride: 1),
            Problem(1, 8, 20, 22, 3, stride: 3),
            Problem(2, 8, 23, 21, 5, stride: 5, pad: 2),
            Problem(1, 8, 17, 33, 5, stride: 4, pad: 1) with { CeilMode = true, CountIncludePad = true },
            // What halves: pieces of 2, 4 and 8 elements, several strips and warps, odd heights and widths, windows that hang over the edge.
            Problem(2, 3, 9, 14, 3, stride: 2, pad: 1),
            Problem(1, 2, 37, 24, 3, stride: 2, pad: 1),
            Problem(1, 8, 40, 140, 3, stride: 2, pad: 1),
            Problem(2, 8, 11, 20, 2, stride: 2),
            Problem(1, 8, 13, 15, 2, stride: 2) with { CeilMode = true },
            Problem(1, 8, 12, 10, 3, stride: 2, pad: 1) with { CeilMode = true, CountIncludePad = true },
        ];
        foreach (var type in Types)
        {
            foreach (var problem in problems)
            {
                foreach (var layout in Enum.GetValues<Layout>()) yield return new(type, problem, layout);
            }
        }
    }

    [TestCaseSource(nameof(Problems))]
    public void AgreesWithTheCpu(DType type, PoolingProblem problem, Layout layout)
    {
        // Few values, so that many are equal; the maxima and where they are must agree exactly.
        var x = Array.ConvertAll(Random(problem.InputShape.Count, 1, 0f, 9f), MathF.Floor);
        x[0] = float.NaN;
        Compare(type, 4, side =>
        {
            var engine = side.Device.Engine.Pooling;
            Tensor input = side.Of(x, problem.InputShape, layout), dy = side.Of(Random(problem.OutputShape.Count, 2), problem.OutputShape, layout);
            Tensor y = side.Empty(problem.OutputShape, layout), again = side.Empty(problem.OutputShape, layout), mean = side.Empty(problem.OutputShape, layout);
            Tensor dx = side.Empty(problem.InputShape, layout), dmean = side.Empty(problem.InputShape, layout);
            var positions = Tensor.Empty(problem.OutputShape, problem.ArgumentType, side.Device, layout);
            engine.MaxForward(problem, input, y, positions);
            engine.MaxForward(problem, input, again, null);
            engine.MaxBackward(problem, dy, positions, dx);
            engine.AverageForward(problem, input, mean);
            engine.AverageBackward(problem, dy, dmean);
            return [y, again, dx, mean, dmean];
        });
    }

    [Test]
    public void HalvingTakesTheLongestPiecesThatFitARow()
    {
        static HalvingWalk? Walk(int side, int window, Layout layout = Layout.Nchw, DType type = DType.BFloat16, bool aligned = true) =>
            HalvingWalk.Forward(Problem(32, 64, side, side, window, stride: 2, pad: window - 2), layout, type, aligned);
        Assert.That(Walk(112, 3)!.Value is { Elements: 8, StripRows: 8 }, "8 halves are 16 bytes; strips of 16 rows would be 114,688 threads");
        Assert.That(Walk(28, 2)!.Value.Elements, Is.EqualTo(4), "28 is no multiple of 8");
        Assert.That(Walk(14, 2, type: DType.Float32)!.Value.Elements, Is.EqualTo(2));
        Assert.That(Walk(14, 2, Layout.Nhwc)!.Value.Elements, Is.Zero, "NHWC takes channels");
        Assert.That(Walk(15, 2), Is.Null, "rows of 15 are not aligned");
        Assert.That(Walk(112, 3, aligned: false), Is.Null);
        Assert.That(HalvingWalk.Forward(Problem(1, 8, 8, 8, 3, stride: 2), Layout.Nchw, DType.Float32, true), Is.Null, "3 x 3 without padding does not halve");
        Assert.That(HalvingWalk.Backward(Problem(1, 8, 9, 8, 2, stride: 2), Layout.Nchw, DType.Float32, true)!.Value.Threads, Is.EqualTo(8 * 2 * 2), "planes, pieces, and 5 pairs of rows in strips of 4");
    }

    [Test]
    public void TheWayIsChosenByLayoutChannelsAndAddress()
    {
        Assert.That(NativePooling.TakesVectors(Layout.Nhwc, 8, DType.Float32, 0x1000), Is.True);
        Assert.That(NativePooling.TakesVectors(Layout.Nhwc, 6, DType.Float32, 0x1000), Is.False, "6 channels are not whole vectors");
        Assert.That(NativePooling.TakesVectors(Layout.Nhwc, 4, DType.BFloat16, 0x1000), Is.False, "a vector is 8 halves");
        Assert.That(NativePooling.TakesVectors(Layout.Nhwc, 8, DType.Float32, 0x1004), Is.False, "the address is not a multiple of 16");
        Assert.That(NativePooling.TakesVectors(Layout.Nchw, 8, DType.Float32, 0x1000), Is.False);
        Assert.That(NativePooling.IsWide(Problem(1, 1, 8, 8, 8, stride: 8), Layout.Nchw), Is.True);
        Assert.That(NativePooling.IsWide(Problem(1, 1, 8, 8, 3, stride: 1), Layout.Nchw), Is.False);
    }

    [Test]
    public void TilesAreWholePlanesStripsOrSlices()
    {
        static PoolTilePlan Plan(int n, int c, int side, int window, Layout layout, bool aligned = true) =>
            PoolTilePlan.Forward(Problem(n, c, side, side, window, stride: 1, pad: window / 2), layout, DType.Float32, aligned, places: true)!.Value;

        Assert.That(Plan(32, 64, 56, 3, Layout.Nchw) is { Width: 1, Tiling: { Planes: 1, Outers: 2048, Rows: 56, RowsOfPart: 29 }, Launch.Grid.X: 2048 }, "a plane of 3,136 elements: 56 columns in 2 parts, 29 rows apart in other banks");
        Assert.That(Plan(32, 64, 28, 3, Layout.Nchw) is { Tiling: { Planes: 5, RowsOfPart: 28 }, Launch.Grid.X: 410 }, "5 planes of 784 elements");
        Assert.That(Plan(4, 64, 56, 3, Layout.Nchw) is { Tiling.Planes: 1, Launch.Grid.X: 256 }, "few planes: a block for each");
        Assert.That(Plan(1, 2, 112, 3, Layout.Nchw) is { Tiling.Planes: 1, Launch.Grid.X: 6 }, "9 bytes of 12,544 elements are three strips' shared memory");
        Assert.That(Plan(1, 3, 32, 3, Layout.Nhwc) is { Width: 1, Launch.Grid.X: 1 }, "3 channels are no vectors: whole images");
        Assert.That(Plan(1, 8, 32, 3, Layout.Nhwc, aligned: false) is { Width: 1, Tiling.Wide: 0 });
        var slices = Plan(1, 64, 56, 3, Layout.Nhwc);
        Assert.That(slices is { Width: 4, Tiling: { Planes: 0, Wide: 1 }, Launch.Grid.X: 2 * 3 * 3 }, "2 slices of 32 channels, 3 x 3 tiles of 19 x 19");
        Assert.That(slices.Launch.SharedBytes, Is.EqualTo(21 * 21 * 128), "19 x 19 results see 21 x 21 pixels");
        Assert.That(PoolTilePlan.Forward(Problem(1, 1, 6, 9000, 5, stride: 1, pad: 2), Layout.Nchw, DType.Float32, true, true), Is.Null, "5 rows of 36,000 bytes");
        Assert.That(PoolTilePlan.Forward(Problem(1, 1, 32, 32, 17, stride: 1), Layout.Nchw, DType.Float32, true, true), Is.Null, "289 places are no byte");
    }

    [Test]
    public void MoreElementsThanAnIntCountsAreRefused() =>
        Assert.That(() => new PoolGeometry(Problem(1 << 20, 64, 8, 8, 2, stride: 2), Layout.Nchw, 1), Throws.InstanceOf<EngineNotSupportedException>());

    private static PoolingProblem Problem(int n, int c, int h, int w, int window, int stride, int pad = 0) => new()
    {
        N = n, C = c, H = h, W = w, R = window, S = window, PadH = pad, PadW = pad, StrideH = stride, StrideW = stride, DilationH = 1, DilationW = 1,
    };
}
