using CnnNative.Engines;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>
/// Kernels that are limited by bytes load and store nothing narrower than 16: the loads and stores of all threads are counted, for one
/// wide access among narrow ones proves nothing.
/// </summary>
public sealed class VectorAccessTests : CounterTests
{
    private const int Count = 1 << 14, Bytes = 16;

    private static readonly ActivationKind[] Kinds = [ActivationKind.Identity, ActivationKind.Relu, ActivationKind.Relu6, ActivationKind.Sigmoid, ActivationKind.Tanh];

    private static readonly Layout[] Layouts = [Layout.Nchw, Layout.Nhwc];

    private static IEnumerable<TestCaseData> Channels() =>
        from type in Types
        from layout in Layouts
        from width in (int[])[8, 7]
        from residual in (bool[])[false, true]
        select new TestCaseData(type, layout, width, residual);

    [Test]
    public void Arithmetic([ValueSource(nameof(Types))] DType type)
    {
        var suffix = Suffix(type);
        Check("add" + suffix, type, 2, 1, (side, x, y) => side.Device.Engine.Elementwise.Add(x, y, y));
        Check("multiply" + suffix, type, 2, 1, (side, x, y) => side.Device.Engine.Elementwise.Multiply(x, y, y));
        Check("scale" + suffix, type, 1, 1, (side, x, y) => side.Device.Engine.Elementwise.Scale(x, 3f, y));
        Check("fill" + suffix, type, 0, 1, (side, _, y) => side.Device.Engine.Elementwise.Fill(y, 3f));
    }

    [Test]
    public void Activations([ValueSource(nameof(Types))] DType type, [ValueSource(nameof(Kinds))] ActivationKind kind)
    {
        Check("activation_forward" + Suffix(type), type, 1, 1, (side, x, y) => side.Device.Engine.Activation.Forward(kind, x, y));
        var read = kind == ActivationKind.Identity ? 1 : 2;
        Check("activation_backward" + Suffix(type), type, read, 1, (side, x, y) => side.Device.Engine.Activation.Backward(kind, x, y, y));
    }

    /// <summary>y and dy once, dx once; what is summed up is not read again.</summary>
    [Test]
    public void ActivationsWithBias([ValueSource(nameof(Types))] DType type, [ValueSource(nameof(Layouts))] Layout layout)
    {
        Shape shape = [2, 32, 16, 16];
        var bytes = shape.Count * type.Size();
        var counters = Run($"activation_sums_{(layout == Layout.Nhwc ? "rows" : "planes")}{Suffix(type)}", side =>
        {
            Tensor y = side.Of(Random(shape.Count, 1), shape, layout), dy = side.Of(Random(shape.Count, 2), shape, layout), db = side.Empty([32]);
            return () => side.Device.Engine.Activation.BackwardWithBias(ActivationKind.Relu, y, dy, dy, db);
        }, type);
        Assert.That(counters.GlobalLoadBytes, Is.EqualTo((ulong)(2 * bytes)));
        Assert.That(counters.GlobalLoad, Is.EqualTo((ulong)(2 * bytes / Bytes)), "loads");
        Assert.That(counters.GlobalStore, Is.EqualTo((ulong)(bytes / Bytes + 32)), "stores: dx, and a sum per channel");
    }

    [Test]
    public void Dropout([ValueSource(nameof(Types))] DType type)
    {
        Check("dropout" + Suffix(type), type, 1, 1, (side, x, y) => side.Device.Engine.Dropout.Apply(x, 0.5f, 1, new(1, 2), y));
        Shape shape = [2, 32, 16, 16];
        var counters = Run("dropout_quads" + Suffix(type), side =>
        {
            Tensor x = side.Of(Random(shape.Count, 1), shape, Layout.Nhwc), y = side.Empty(shape, Layout.Nhwc);
            return () => side.Device.Engine.Dropout.Apply(x, 0.5f, 1, new(1, 2), y);
        }, type);
        AssertVectors(counters, shape.Count * type.Size(), shape.Count * type.Size());
    }

    [Test]
    public void Casts([ValueSource(nameof(Types))] DType from, [ValueSource(nameof(Types))] DType to)
    {
        var counters = Run($"cast_from{Suffix(from)}{Suffix(to)}", _ =>
        {
            Tensor x = Tensor.From(Random(Count, 1), [Count], Device).To(from), y = Tensor.Empty([Count], to, Device);
            return () => Device.Engine.Elementwise.Cast(x, y);
        });
        AssertVectors(counters, Count * from.Size(), Count * to.Size());
    }

    [Test]
    public void Optimizers()
    {
        Check("sgd_f32", DType.Float32, 3, 2, (side, x, y) => side.Device.Engine.Optimizer.Sgd([new(x, y, side.Float(new float[Count]))], new(0.1f, 0.9f, 0f, 0f, false, false)));
        Check("sgd_f32", DType.Float32, 2, 1, (side, x, y) => side.Device.Engine.Optimizer.Sgd([new(x, y, null)], new(0.1f, 0f, 0f, 0f, false, false)));
        Check("gradient_clamp_f32", DType.Float32, 1, 1, (side, x, _) => side.Device.Engine.Optimizer.ClampGradients([x], 1f));
    }

    /// <summary>
    /// The second pass of a batch normalisation where 16 bytes are of one channel, of neighbouring ones, and of any: the statistics of each
    /// element, or of the one channel, are read beside it, those of neighbours 16 bytes at a time.
    /// </summary>
    [TestCaseSource(nameof(Channels))]
    public void BatchNormOutputAndGradient(DType type, Layout layout, int width, bool residual)
    {
        Shape shape = [2, 16, 8, width];
        var (engine, bytes) = (Device.Engine.Normalization, shape.Count * type.Size());
        var counters = Run("batch_norm_apply" + Suffix(type), side =>
        {
            Tensor x = side.Of(Random(shape.Count, 1), shape, layout), y = side.Empty(shape, layout), mean = side.Float(new float[16]), variance = side.Float(new float[16]);
            var summand = residual ? side.Of(Random(shape.Count, 2), shape, layout) : null;
            return () => engine.BatchInference(x, null, null, 1f, mean, variance, y, new(summand, ActivationKind.Relu));
        }, type);
        var statistics = 2 * (layout == Layout.Nhwc ? shape.Count * sizeof(float) / Bytes : 8 * width % (Bytes / type.Size()) == 0 ? bytes / Bytes : shape.Count);
        AssertVectors(counters, bytes * (residual ? 2 : 1), bytes, statistics);
    }

    /// <summary>Rows that a warp holds, a block holds, and a block keeps in shared memory.</summary>
    [TestCase(512, 256, "rows")]
    [TestCase(16, 1000, "block_rows")]
    [TestCase(2, 4096, "long_rows")]
    public void RowsOfScores(int rows, int classes, string kernel)
    {
        foreach (var type in Types)
        {
            Shape shape = [rows, classes];
            var bytes = shape.Count * type.Size();
            var forward = Run($"softmax_{kernel}_forward{Suffix(type)}", side =>
            {
                Tensor x = side.Of(Random(shape.Count, 1), shape), y = side.Empty(shape);
                return () => side.Device.Engine.Activation.SoftmaxForward(x, 1, false, y);
            }, type);
            AssertVectors(forward, bytes, bytes);
            var backward = Run($"softmax_{kernel}_backward{Suffix(type)}", side =>
            {
                Tensor y = side.Of(Random(shape.Count, 1), shape), dy = side.Of(Random(shape.Count, 1), shape), dx = side.Empty(shape);
                return () => side.Device.Engine.Activation.SoftmaxBackward(y, dy, 1, false, dx);
            }, type);
            AssertVectors(backward, 2 * bytes, bytes);
        }
    }

    /// <summary>Beside the probabilities every lane reads the label of its line, the divisor and the gradient of the loss.</summary>
    [TestCase(512, 256)]
    [TestCase(16, 1000)]
    public void GradientOfCrossEntropy(int rows, int classes)
    {
        foreach (var type in Types)
        {
            Shape shape = [rows, classes];
            var bytes = shape.Count * type.Size();
            var counters = Run($"cross_entropy_rows_backward{Suffix(type)}", side =>
            {
                Tensor p = side.Of(Random(shape.Count, 1, 0f, 1f), shape), dx = side.Empty(shape), divisor = side.Float([rows]), dloss = side.Of([1f], Shape.Scalar);
                var labels = side.Labels(new long[rows], [rows]);
                return () => side.Device.Engine.Loss.CrossEntropyBackward(p, labels, null, new(Reduction.Mean, 0f, -100), divisor, dloss, dx);
            }, type);
            AssertVectors(counters, bytes, bytes, scalars: 3 * (long)counters.Threads);
        }
    }

    private void Check(string kernel, DType type, int reads, int writes, Action<Side, Tensor, Tensor> operation)
    {
        var counters = Run(kernel, side =>
        {
            Tensor x = side.Of(Random(Count, 1), [Count]), y = side.Of(Random(Count, 2), [Count]);
            return () => operation(side, x, y);
        }, type);
        AssertVectors(counters, (long)reads * Count * type.Size(), (long)writes * Count * type.Size());
    }

    /// <param name="counters">Of one kernel.</param>
    /// <param name="read">Bytes that are read.</param>
    /// <param name="written">Bytes that are written.</param>
    /// <param name="scalars">Loads of single numbers beside.</param>
    private static void AssertVectors(KernelCounters counters, long read, long written, long scalars = 0)
    {
        Assert.That(Loads(counters), Is.EqualTo(read / Bytes + scalars), "loads of all threads");
        Assert.That(counters.GlobalStore, Is.EqualTo((ulong)(written / Bytes)), "stores of all threads");
    }
}
