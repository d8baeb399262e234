using CnnNative.Engines;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>
/// What a softmax moves, every access counted, so that a second reading from L1 or L2 counts too: lines that are kept are read once, others
/// twice. Forward reads x and writes y, backward reads y and dy and writes dx.
/// </summary>
public sealed class SoftmaxTrafficTests : CounterTests
{
    private const double Excess = 1.15;

    private static IEnumerable<TestCaseData> Rows() =>
        from type in Types
        from size in (int[])[256, 2048, 2049, 8192, 32000, 50257, 60003]
        select new TestCaseData(type, size, size switch { <= 256 => "rows", <= 2048 => "block_rows", _ => "long_rows" });

    private static IEnumerable<TestCaseData> Columns() =>
        from type in Types
        from problem in ((Shape, string, int, int)[])
            [([2, 21, 64, 64], "columns", 1, 1), ([1, 150, 32, 32], "long_columns", 1, 1), ([1, 400, 16, 16], "long_columns", 1, 2), ([1, 600, 8, 8], "long_columns", 2, 2)]
        select new TestCaseData(type, problem.Item1, problem.Item2, problem.Item3, problem.Item4);

    [TestCaseSource(nameof(Rows))]
    public void RowsThatFitABlockAreReadOnce(DType type, int size, string kernel)
    {
        var backwardFits = 2 * size * type.Size() < (224 << 10);
        Check(type, [4, size], kernel, size < 57000 ? 1 : 2, backwardFits ? 1 : 2);
    }

    [TestCaseSource(nameof(Columns))]
    public void ColumnsThatFitABlockAreReadOnce(DType type, Shape shape, string kernel, int forwardReadings, int backwardReadings) =>
        Check(type, shape, kernel, forwardReadings, backwardReadings);

    /// <summary>Rows of few elements come in one piece: every sector once, and most of the instructions are those of the exponentials.</summary>
    [Test]
    public void ShortRowsAreReadOnceByThreadsThatHaveOneEach([ValueSource(nameof(Types))] DType type, [Values(1, 10, 31, 32)] int size)
    {
        Shape shape = [443, size];
        var pass = shape.Count * type.Size();
        foreach (var logarithm in (bool[])[false, true])
        {
            var forward = Run("softmax_short_rows_forward" + Suffix(type), Forward(shape, logarithm), type);
            AssertTraffic(forward, pass, pass, Excess, slack: Sector);
            Assert.That(32.0 * forward.WarpInstructions / shape.Count, Is.LessThanOrEqualTo(95 + 160.0 / size), "instructions to an element");
            Assert.That(forward.MaxSharedConflict, Is.LessThanOrEqualTo(2), "a warp that brings even rows meets a bank twice");
            var backward = Run("softmax_short_rows_backward" + Suffix(type), Backward(shape, logarithm), type);
            AssertTraffic(backward, 2 * pass, pass, Excess, slack: Sector);
            Assert.That(backward.MaxSharedConflict, Is.LessThanOrEqualTo(2), "a warp that brings even rows meets a bank twice");
        }
    }

    /// <summary>Units of 16 bytes, wherever a row begins, and fewer single elements than two units.</summary>
    [Test]
    public void RowsOfAnOddVocabularyAreReadInVectors([ValueSource(nameof(Types))] DType type, [Values(2049, 50257, 60003)] int size)
    {
        const int rows = 3;
        var counters = Run("softmax_long_rows_forward" + Suffix(type), Forward([rows, size], logarithm: false), type);
        var (readings, singles) = (size < 57000 ? 1 : 2, 2 * rows * (16 / type.Size() - 1));
        var units = rows * size * type.Size() / 16;
        Assert.That(Loads(counters), Is.InRange(readings * (units - 2 * rows), readings * (units + singles)), "loads of all threads");
        Assert.That((long)counters.GlobalStore, Is.InRange(units - 2 * rows, units + singles), "stores of all threads");
    }

    /// <summary>Label smoothing needs the logits once more: not from memory.</summary>
    [TestCase(50257, 0f, 1)]
    [TestCase(50257, 0.1f, 1)]
    [TestCase(60003, 0f, 2)]
    public void CrossEntropyReadsALongRowOnce(int classes, float smoothing, int readings)
    {
        Shape shape = [4, classes];
        var pass = shape.Count * sizeof(float);
        var counters = Run("cross_entropy_long_rows_forward_f32", side =>
        {
            Tensor x = side.Of(Random(shape.Count, 1), shape), p = side.Empty(shape), loss = side.Empty(Shape.Scalar), divisor = side.EmptyFloat(1);
            var labels = side.Labels(new long[4], [4]);
            return () => side.Device.Engine.Loss.CrossEntropyForward(x, labels, null, new(Reduction.Mean, smoothing, -100), p, loss, divisor);
        });
        AssertTraffic(counters, readings * pass, pass, Excess);
    }

    /// <summary>Beside the units each thread reads the label of its line, the divisor and the gradient of the loss.</summary>
    [Test]
    public void TheGradientOfCrossEntropyReadsALongRowInVectors([ValueSource(nameof(Types))] DType type, [Values(2049, 50257)] int classes)
    {
        Shape shape = [3, classes];
        var pass = shape.Count * type.Size();
        var counters = Run("cross_entropy_long_rows_backward" + Suffix(type), side =>
        {
            Tensor p = side.Of(Random(shape.Count, 1, 0f, 1f), shape), dx = side.Empty(shape), divisor = side.Float([3]), dloss = side.Of([1f], Shape.Scalar);
            var labels = side.Labels(new long[3], [3]);
            return () => side.Device.Engine.Loss.CrossEntropyBackward(p, labels, null, new(Reduction.Mean, 0f, -100), divisor, dloss, dx);
        }, type);
        var (units, singles) = (pass / 16, 2 * shape[0] * (16 / type.Size() - 1));
        AssertTraffic(counters, pass, pass, Excess, slack: (long)counters.Warps * 3 * Sector);
        Assert.That(Loads(counters) - 3 * (long)counters.Threads, Is.InRange(units - 2 * shape[0], units + singles), "loads of all threads");
        Assert.That((long)counters.GlobalStore, Is.InRange(units - 2 * shape[0], units + singles), "stores of all threads");
    }

    private void Check(DType type, Shape shape, string kernel, int forwardReadings, int backwardReadings)
    {
        var pass = shape.Count * type.Size();
        foreach (var logarithm in (bool[])[false, true])
        {
            var forward = Run($"softmax_{kernel}_forward{Suffix(type)}", Forward(shape, logarithm), type);
            AssertTraffic(forward, forwardReadings * pass, pass, Excess);
            Assert.That(forward.MaxSharedConflict, Is.LessThanOrEqualTo(1), "ways of the worst conflict");
            var backward = Run($"softmax_{kernel}_backward{Suffix(type)}", Backward(shape, logarithm), type);
            AssertTraffic(backward, 2 * backwardReadings * pass, pass, Excess);
            Assert.That(backward.MaxSharedConflict, Is.LessThanOrEqualTo(1), "ways of the worst conflict");
        }
    }

    private static Func<Side, Action> Forward(Shape shape, bool logarithm) => side =>
    {
        Tensor x = side.Of(Random(shape.Count, 1), shape), y = side.Empty(shape);
        return () => side.Device.Engine.Activation.SoftmaxForward(x, 1, logarithm, y);
    };

    private static Func<Side, Action> Backward(Shape shape, bool logarithm) => side =>
    {
        Tensor y = side.Of(Random(shape.Count, 1, 0f, 1f), shape), dy = side.Of(Random(shape.Count, 2), shape), dx = side.Empty(shape);
        return () => side.Device.Engine.Activation.SoftmaxBackward(y, dy, 1, logarithm, dx);
    };
}
