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

    private static IEnumerable<TestCaseData> Softmaxes()
    {
        foreach (var type in Types)
        {
            yield return new(type, new Shape(443, 10), 1, Layout.Nchw);
            yield return new(type, new Shape(9, 32), 1, Layout.Nchw);
            yield return new(type, new Shape(17, 256), 1, Layout.Nchw);
            yield return new(type, new Shape(5, 257), 1, Layout.Nchw);
            yield return new(type, new Shape(3, 1000), 1, Layout.Nchw);
            yield return new(type, new Shape(7, 33), 0, Layout.Nchw);
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

    [TestCase(3)]
    [TestCase(300)]
    public void ASoftmaxOfInfinitiesAndNaN(int size)
    {
        var x = new float[4 * size];
        x[0] = float.NegativeInfinity;
        x[size] = float.PositiveInfinity;
        x[2 * size + 1] = float.NaN;
        Array.Fill(x, float.NegativeInfinity, 3 * size, size);
        Compare(DType.Float32, 4, side =>
        {
            var y = side.Empty([4, size]);
            side.Device.Engine.Activation.SoftmaxForward(side.Of(x, [4, size]), 1, false, y);
            return [y];
        });
    }

    [Test]
    public void LinesAreGivenToTheTeamThatSuitsThem()
    {
        Assert.That(LineLaunch.For(new(443, 10, 1)), Is.EqualTo(new LineLaunch(LineTeam.Warp, new(56, 256))));
        Assert.That(LineLaunch.For(new(9, 1000, 1)), Is.EqualTo(new LineLaunch(LineTeam.Block, new(9, 256))));
        Assert.That(LineLaunch.For(new(2, 21, 300)), Is.EqualTo(new LineLaunch(LineTeam.Thread, new(3, 256))));
        Assert.That(() => LineLaunch.For(new(1, 1L << 31, 1)), Throws.InstanceOf<EngineNotSupportedException>());
    }
}
