using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Activations and softmax on the device against the CPU's.</summary>
public sealed class NativeActivationTests : NativeTests
{
    private static readonly float[] Edges =
        [0f, -0f, 1f, 6f, 7f, -1e-30f, 1e-40f, 88.7f, 89.5f, -103f, -200f, float.MaxValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN];

    [Test]
    public void ActivationsHaveTheBitsOfTheCpu([Values] ActivationKind kind, [Values(1, 4, 443, 4099)] int count)
    {
        var x = Random(count, 5, -12f, 12f);
        Edges.AsSpan(0, Math.Min(count, Edges.Length)).CopyTo(x);
        CompareExactly(side =>
        {
            Tensor input = side.Of(x, [count]), y = side.Empty([count]), dx = side.Empty([count]);
            side.Device.Engine.Activation.Forward(kind, input, y);
            side.Device.Engine.Activation.Backward(kind, y, side.Of(Random(count, 6), [count]), dx);
            // A NaN has many bits.
            var (activation, gradient) = (Side.Read(y), Side.Read(dx));
            foreach (var values in (float[][])[activation, gradient]) values.AsSpan().Replace(float.NaN, 12345f);
            return [Tensor.From(activation, [count], side.Device), Tensor.From(gradient, [count], side.Device)];
        });
    }

    /// <summary>Floats of every exponent: the bounds that native/kernels/common/math.h claims, in units of the last place.</summary>
    [TestCase(ActivationKind.Tanh, 2.0)]
    [TestCase(ActivationKind.Sigmoid, 2.5)]
    public void TheErrorIsBounded(ActivationKind kind, double bound)
    {
        using var scope = Device.Inference();
        var count = Switches.Rows(1 << 16, 1 << 20);
        var step = (uint)((1L << 32) / count) + 3;
        var x = Enumerable.Range(0, count).Select(i => BitConverter.UInt32BitsToSingle((uint)i * step)).Where(float.IsFinite).ToArray();
        var y = Tensor.Empty([x.Length], DType.Float32, Device);
        Device.Engine.Activation.Forward(kind, Tensor.From(x, [x.Length], Device), y);
        var actual = y.ToArray<float>();
        // Below the normal floats only the absolute error is bounded.
        const double least = 1.17549435e-38;
        for (var i = 0; i < x.Length; i++)
        {
            var exact = kind == ActivationKind.Tanh ? Math.Tanh(x[i]) : 1 / (1 + Math.Exp(-(double)x[i]));
            var unit = Math.ScaleB(1, Math.ILogB(Math.Max(Math.Abs(exact), least)) - 23);
            var tolerance = Math.Abs(exact) < 2 * least ? 2 * least : bound * unit;
            if (!(Math.Abs(actual[i] - exact) <= tolerance)) Assert.Fail($"{kind}({x[i]:G9}) is {actual[i]:G9}, exactly {exact:G12}");
        }
    }

    [Test]
    public void SixteenBitsRoundOnce([Values] ActivationKind kind, [Values(DType.BFloat16, DType.Float16)] DType type)
    {
        Compare(type, 0.51, side =>
        {
            Tensor x = side.Of(Random(1001, 7, -7f, 7f), [1001]), y = side.Empty([1001]);
            side.Device.Engine.Activation.Forward(kind, x, y);
            return [y];
        });
    }

    private static IEnumerable<TestCaseData> Biased() =>
        from type in Types
        from problem in (IEnumerable<(Shape Shape, Layout Layout)>)
        [
            (new(443, 10), Layout.Nchw), (new(64, 120), Layout.Nchw), (new(3, 5, 7, 7), Layout.Nchw), (new(2, 8, 8, 8), Layout.Nchw), (new(5, 3, 48, 48), Layout.Nchw),
            (new(3, 5, 7, 7), Layout.Nhwc), (new(2, 8, 8, 8), Layout.Nhwc), (new(6, 16, 48, 48), Layout.Nhwc), (new(0, 3, 2, 2), Layout.Nchw),
        ]
        select new TestCaseData(type, problem.Shape, problem.Layout);

    /// <summary>One pass gives what two give: the gradient bit for bit, and the sums too where dx is not the result of a rounding.</summary>
    [TestCaseSource(nameof(Biased))]
    public void TheGradientByABiasComesWithThatOfTheActivation(DType type, Shape shape, Layout layout)
    {
        using var scope = Device.Inference();
        var (side, engine) = (new Side(Device, type), Device.Engine);
        foreach (var kind in (ActivationKind[])[ActivationKind.Relu, ActivationKind.Relu6, ActivationKind.Sigmoid, ActivationKind.Tanh])
        {
            Tensor x = side.Of(Random(shape.Count, 5, -3f, 9f), shape, layout), y = side.Empty(shape, layout), dy = side.Of(Random(shape.Count, 6), shape, layout);
            engine.Activation.Forward(kind, x, y);
            Tensor dx = side.Empty(shape, layout), db = side.Empty([shape[1]]), expectedDx = side.Empty(shape, layout), expectedDb = side.Empty([shape[1]]);
            engine.Activation.Backward(kind, y, dy, expectedDx);
            engine.Convolution.BackwardBias(expectedDx, expectedDb);
            engine.Activation.BackwardWithBias(kind, y, dy, dx, db);
            Assert.That(Side.Read(dx), Is.EqualTo(Side.Read(expectedDx)), $"dx of {kind}");
            if (kind is ActivationKind.Relu or ActivationKind.Relu6) Assert.That(Side.Read(db), Is.EqualTo(Side.Read(expectedDb)), $"db of {kind}");
            // A rounding of every term, at most half a unit of it, and that of the sum.
            var room = Math.Sqrt(shape.Count / (double)shape[1]) * 4 * Agreement.Epsilon(type);
            Agreement.Within(Side.Read(db), Cast.Double(Side.Read(expectedDb)), room, $"db of {kind}");
            engine.Activation.BackwardWithBias(kind, y, dy, dy, db);
            Assert.That(Side.Read(dy), Is.EqualTo(Side.Read(expectedDx)), $"{kind} in place");
        }
    }

    private static IEnumerable<TestCaseData> Softmaxes()
    {
        foreach (var type in Types)
        {
            yield return new(type, new Shape(443, 10), 1, Layout.Nchw);
            yield return new(type, new Shape(9, 32), 1, Layout.Nchw);
            yield return new(type, new Shape(17, 256), 1, Layout.Nchw);
            yield return new(type, new Shape(5, 257), 1, Layout.Nchw);
            yield return new(type, new Shape(3, 1000), 1, Layout.Nchw);
            yield return new(type, new Shape(3, 2048), 1, Layout.Nchw);
            yield return new(type, new Shape(7, 33), 0, Layout.Nchw);
            yield return new(type, new Shape(2, 33, 9, 7), 1, Layout.Nchw);
            yield return new(type, new Shape(2, 21, 9, 7), 1, Layout.Nchw);
            for (var axis = 0; axis < 4; axis++) yield return new(type, new Shape(2, 5, 3, 7), axis, Layout.Nhwc);
        }
    }

    [TestCaseSource(nameof(Softmaxes))]
    public void SoftmaxAgreesWithTheCpu(DType type, Shape shape, int axis, Layout layout)
    {
        foreach (var logarithm in (bool[])[false, true])
        {
            Compare(type, 8, side =>
            {
                // The gradient takes its y from one place, so that its own error is measured.
                Tensor x = side.Of(Random(shape.Count, 8, -8f, 8f), shape, layout), y = side.Empty(shape, layout), dx = side.Empty(shape, layout);
                side.Device.Engine.Activation.SoftmaxForward(x, axis, logarithm, y);
                var given = side.Of(Random(shape.Count, 9, logarithm ? -5f : 0f, logarithm ? 0f : 1f), shape, layout);
                side.Device.Engine.Activation.SoftmaxBackward(given, side.Of(Random(shape.Count, 10), shape, layout), axis, logarithm, dx);
                return [y, dx];
            });
        }
    }

    private static IEnumerable<TestCaseData> LongLines() =>
        from type in Types
        from shape in (Shape[])[[3, 2049, 1], [2, 8192, 1], [2, 9001, 1], [2, 50257, 1], [1, 60003, 1], [2, 33, 40], [1, 450, 35], [3, 450, 64]]
        from logarithm in (bool[])[false, true]
        select new TestCaseData(type, shape, logarithm);

    /// <summary>
    /// Lines that are kept, and that are read twice, against the definition in double. (The CPU's sums of long lines in Float32 are less exact
    /// than these.)
    /// </summary>
    [TestCaseSource(nameof(LongLines))]
    public void ASoftmaxOfLongLinesIsExact(DType type, Shape shape, bool logarithm)
    {
        using var scope = Device.Inference();
        var side = new Side(Device, type);
        Tensor x = side.Of(Random(shape.Count, 8, -8f, 8f), shape), y = side.Empty(shape);
        Device.Engine.Activation.SoftmaxForward(x, 1, logarithm, y);
        var input = Side.Read(x);
        Agreement.CheckRounded(Side.Read(y), NaiveSoftmax.Forward(Cast.Double(input), shape[1], shape[2], logarithm), "y", type);

        Tensor given = side.Of(Random(shape.Count, 9, logarithm ? -5f : 0f, logarithm ? 0f : 1f), shape), dy = side.Of(Random(shape.Count, 10), shape), dx = side.Empty(shape);
        Device.Engine.Activation.SoftmaxBackward(given, dy, 1, logarithm, dx);
        var (output, gradient) = (Side.Read(given), Side.Read(dy));
        var expected = NaiveSoftmax.Backward(Cast.Double(output), Cast.Double(gradient), shape[1], shape[2], logarithm);
        Agreement.Check(Side.Read(dx), expected, NaiveSoftmax.Backward(output, gradient, shape[1], shape[2], logarithm), "dx", type);
    }

    /// <summary>Rows that begin beside a multiple of 16 bytes, one tensor like the other or not.</summary>
    [Test]
    public void RowsMayBeginAnywhere([Values(0, 1, 3)] int before, [Values(0, 1)] int beforeResult, [Values(10, 2053, 60003)] int size)
    {
        using var scope = Device.Inference();
        using var x = Tensor.From(Random(2 * size + before, 1, -8f, 8f), [2 * size + before], Device).View([2, size], before);
        using var y = Tensor.Empty([2 * size + beforeResult], DType.Float32, Device).View([2, size], beforeResult);
        Device.Engine.Activation.SoftmaxForward(x, 1, false, y);
        Agreement.CheckRounded(Side.Read(y), NaiveSoftmax.Forward(Cast.Double(Side.Read(x)), size, 1, false), "y");
    }

    private static IEnumerable<TestCaseData> Teams() =>
        from type in Types
        from shape in (Shape[])[[6, 1, 1], [6, 3, 1], [6, 300, 1], [6, 2049, 1], [6, 60003, 1], [1, 3, 6], [1, 40, 6], [1, 700, 6]]
        from logarithm in (bool[])[false, true]
        select new TestCaseData(type, shape, logarithm);

    /// <summary>
    /// Lines with one infinity of either sign, a NaN, nothing but -infinity, -infinity until the last element, and one that is ordinary: one
    /// line does not reach another. A line that has +infinity or NaN, or nothing but -infinity, is NaN, as it is for PyTorch.
    /// </summary>
    [TestCaseSource(nameof(Teams))]
    public void ASoftmaxOfInfinitiesAndNaN(DType type, Shape shape, bool logarithm)
    {
        var (size, inner) = (shape[1], shape[2]);
        var x = Random(shape.Count, 3);
        ref float At(int line, int i) => ref x[inner == 1 ? line * size + i : i * inner + line];
        At(0, size / 2) = float.NegativeInfinity;
        At(1, size / 2) = float.PositiveInfinity;
        At(2, size / 2) = float.NaN;
        for (var i = 0; i < size; i++) At(3, i) = float.NegativeInfinity;
        for (var i = 0; i < size - 1; i++) At(4, i) = float.NegativeInfinity;
        var y = Array.Empty<float>();
        Compare(type, 8, side =>
        {
            var result = side.Empty(shape);
            side.Device.Engine.Activation.SoftmaxForward(side.Of(x, shape), 1, logarithm, result);
            y = Side.Read(result);
            return [result];
        });
        for (var line = 0; line < 6; line++)
        {
            var values = Enumerable.Range(0, size).Select(i => y[inner == 1 ? line * size + i : i * inner + line]).ToArray();
            var isNaN = line is 1 or 2 or 3 || (line == 0 && size == 1);
            Assert.That(values.Count(float.IsNaN), Is.EqualTo(isNaN ? size : 0), $"NaN in line {line}");
        }
    }

    private const int Hopper = 232448, Ampere = 166912;

    [Test]
    public void LinesAreGivenToTheTeamThatSuitsThem()
    {
        Assert.That(LineLaunch.Forward(new(443, 10, 1), Hopper), Is.EqualTo(new LineLaunch(LineTeam.ShortRow, new(2, 256, 256 * 11 * 4), true)));
        Assert.That(LineLaunch.Backward(new(1, 1, 1), DType.BFloat16, Hopper), Is.EqualTo(new LineLaunch(LineTeam.ShortRow, new(1, 256, 2 * 256 * 4), true)));
        Assert.That(LineLaunch.Forward(new(256, 32, 1), Hopper), Is.EqualTo(new LineLaunch(LineTeam.ShortRow, new(1, 256, 256 * 33 * 4), true)));
        Assert.That(LineLaunch.Forward(new(443, 33, 1), Hopper), Is.EqualTo(new LineLaunch(LineTeam.Warp, new(56, 256), true)));
        Assert.That(LineLaunch.Forward(new(443, 0, 1), Hopper), Is.EqualTo(new LineLaunch(LineTeam.Warp, new(56, 256), true)), "rows of nothing");
        Assert.That(LineLaunch.Forward(new(9, 257, 1), Hopper), Is.EqualTo(new LineLaunch(LineTeam.Block, new(9, 256), true)));
        Assert.That(LineLaunch.Forward(new(9, 2048, 1), Hopper), Is.EqualTo(new LineLaunch(LineTeam.Block, new(9, 256), true)));
        Assert.That(LineLaunch.Forward(new(2, 32, 300), Hopper), Is.EqualTo(new LineLaunch(LineTeam.Thread, new(3, 256, 256 * 32 * 4), true)));
        Assert.That(LineLaunch.Forward(new(2, 33, 300), Hopper), Is.EqualTo(new LineLaunch(LineTeam.LongColumn, new(19, 256, 32 * 33 * 4), true)));
        Assert.That(() => LineLaunch.Forward(new(1, 1L << 31, 1), Hopper), Throws.InstanceOf<EngineNotSupportedException>());
        Assert.That(() => LineLaunch.Forward(new(1L << 31, 257, 1), Hopper), Throws.InstanceOf<EngineNotSupportedException>());
    }

    [TestCase(2049, Hopper, true)]
    [TestCase(50257, Hopper, true)]
    [TestCase(57088, Hopper, true)]
    [TestCase(57089, Hopper, false)]
    [TestCase(40704, Ampere, true)]
    [TestCase(40705, Ampere, false)]
    public void ALongRowIsKeptWhereItFitsABlock(int size, int sharedBytes, bool kept) =>
        Assert.That(LineLaunch.Forward(new(9, size, 1), sharedBytes), Is.EqualTo(new LineLaunch(LineTeam.LongRow, new(9, 512, kept ? size * 4 : 0), kept)));

    [TestCase(28544, DType.Float32, true)]
    [TestCase(28545, DType.Float32, false)]
    [TestCase(57088, DType.BFloat16, true)]
    [TestCase(57089, DType.Float16, false)]
    public void ABackwardPassKeepsTwoRowsAsTheyAre(int size, DType type, bool kept) =>
        Assert.That(LineLaunch.Backward(new(9, size, 1), type, Hopper), Is.EqualTo(new LineLaunch(LineTeam.LongRow, new(9, 512, kept ? size * 2 * type.Size() : 0), kept)));

    /// <summary>Bundles of lines are kept while four of them fit a multiprocessor.</summary>
    [TestCase(422, true)]
    [TestCase(423, false)]
    public void LongColumnsAreKeptWhereFourBundlesFit(int size, bool kept)
    {
        var launch = new LineLaunch(LineTeam.LongColumn, new(2, 256, kept ? 32 * size * 4 : 0), kept);
        Assert.That(LineLaunch.Forward(new(1, size, 64), Hopper), Is.EqualTo(launch));
        Assert.That(LineLaunch.Backward(new(1, size, 64), DType.BFloat16, Hopper).Keeps, Is.False, "two tensors as floats");
    }
}
