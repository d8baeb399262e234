using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>
/// Batch normalisation with a residual and an activation in one operation: against the definition in float64, and against the three
/// operations that it replaces.
/// </summary>
[EngineFixtures]
public sealed class FusedBatchNormTests(EngineUnderTest engine) : EngineTests(engine)
{
    /// <summary>Channels of one block and, last, of several: rows, then planes.</summary>
    private static readonly Shape[] Shapes = [[17, 10], [3, 5, 7, 5], [2, 8, 8, 8], [3, 8, 32, 32], [1, 1, 144, 130]];

    private static IEnumerable<TestCaseData> Problems() =>
        from shape in Shapes
        from layout in shape.Rank == 4 ? Enum.GetValues<Layout>() : [Layout.Nchw]
        from activation in (ActivationKind[])[ActivationKind.Relu, ActivationKind.Relu6]
        from residual in (bool[])[false, true]
        from training in (bool[])[true, false]
        where Switches.Full || (activation == ActivationKind.Relu && (training || shape.Count < 1000))
        select new TestCaseData(shape, layout, activation, residual, training);

    [TestCaseSource(nameof(Problems))]
    public void AgreesWithTheDefinition(Shape shape, Layout layout, ActivationKind activation, bool residual, bool training)
    {
        using var scope = Device.Step();
        var data = new Data(shape);
        var (actual, exact, naive) = (Run(data, layout, activation, residual, training, fused: true), data.Result<double>(activation, residual, training), data.Result<float>(activation, residual, training));
        string[] names = ["y", "dx", "dgamma", "dbeta", "dresidual"];
        for (var i = 0; i < actual.Length; i++) Agreement.Check(actual[i], exact[i], Array.ConvertAll(naive[i], value => (float)value), names[i]);
    }

    /// <summary>The output bit for bit; gradients within the roundings of sums in another order.</summary>
    [TestCaseSource(nameof(Problems))]
    public void AgreesWithThreeOperations(Shape shape, Layout layout, ActivationKind activation, bool residual, bool training)
    {
        using var scope = Device.Step();
        var data = new Data(shape);
        var (fused, apart) = (Run(data, layout, activation, residual, training, true), Run(data, layout, activation, residual, training, false));
        Assert.That(fused[0], Is.EqualTo(apart[0]), "y");
        for (var i = 1; i < fused.Length; i++) Agreement.CheckRounded(fused[i], Cast.Double(apart[i]), $"gradient {i}");
    }

    [Test]
    public void NanPassesInBothDirections([Values] bool residual)
    {
        using var scope = Device.Step();
        var (x, bias) = (Tensor.From([1f, float.NaN, -1f, 2f], [2, 2], Device), Leaf([0f, 0f], [2]));
        var (mean, variance) = (Tensor.Zeros([2], Device), Tensor.Ones([2], Device));
        var y = Functional.BatchNorm(
            x, mean, variance, bias: bias, eps: 0, residual: residual ? Tensor.Zeros([2, 2], Device) : null, activation: ActivationKind.Relu);
        y.Backward(Tensor.Ones([2, 2], Device));
        Assert.That(y.ToArray<float>(), Is.EqualTo(new[] { 1f, float.NaN, 0f, 2f }));
        Assert.That(bias.Grad!.ToArray<float>(), Is.EqualTo(new[] { 1f, 2f }));
    }

    [Test]
    public void TheResidualMayLieInTheOtherLayout()
    {
        using var scope = Device.Step();
        var data = new Data([2, 3, 4, 5]);
        var (x, residual) = (Leaf(data.X, data.Shape, Layout.Nhwc), Leaf(data.Residual, data.Shape, Layout.Nchw));
        var y = Functional.BatchNorm(x, null, null, training: true, residual: residual, activation: ActivationKind.Relu);
        y.Backward(Tensor.From(data.Dy, data.Shape, Device));
        Assert.That((y.Layout, residual.Grad!.Layout), Is.EqualTo((Layout.Nhwc, Layout.Nchw)));
        Assert.That(residual.Grad.ToArray<float>(), Is.EqualTo(y.ToArray<float>().Zip(data.Dy, (value, dy) => value > 0 ? dy : 0f)));
    }

    [Test]
    public void WhatDoesNotFitIsRefusedByName()
    {
        using var scope = Device.Step();
        var x = Tensor.Ones([2, 3], Device);
        Assert.That(
            () => Functional.BatchNorm(x, null, null, training: true, residual: Tensor.Ones([2, 4], Device)),
            Throws.InstanceOf<ShapeException>().With.Message.Contains("(2, 4)"));
        Assert.That(
            () => Functional.BatchNorm(x, null, null, training: true, residual: Tensor.Empty([2, 3], DType.Int64, Device)),
            Throws.InstanceOf<DTypeException>().With.Message.Contains("Int64"));
        Assert.That(
            () => Functional.BatchNorm(x, null, null, weight: Tensor.Empty([3], DType.Float16, Device), training: true),
            Throws.InstanceOf<DTypeException>().With.Message.Contains("weight"));
    }

    private float[][] Run(Data data, Layout layout, ActivationKind activation, bool residual, bool training, bool fused)
    {
        var x = Leaf(data.X, data.Shape, layout);
        var (gamma, beta) = (Leaf(data.Gamma, [data.Channels]), Leaf(data.Beta, [data.Channels]));
        var summand = residual ? Leaf(data.Residual, data.Shape, layout) : null;
        var (mean, variance) = training ? (null, null) : (Tensor.From(data.Mean, [data.Channels], Device), Tensor.From(data.Variance, [data.Channels], Device));
        Tensor y;
        if (fused)
        {
            y = Functional.BatchNorm(x, mean, variance, gamma, beta, training, residual: summand, activation: activation);
        }
        else
        {
            y = Functional.BatchNorm(x, mean, variance, gamma, beta, training);
            y = Functional.Activate(activation, summand is null ? y : Functional.Add(y, summand));
        }

        y.Backward(Tensor.From(data.Dy, data.Shape, Device).ToLayout(layout));
        Tensor[] results = [y, x.Grad!, gamma.Grad!, beta.Grad!, .. summand is null ? [] : (Tensor[])[summand.Grad!]];
        return Array.ConvertAll(results, result => result.ToArray<float>());
    }

    private Tensor Leaf(float[] values, Shape shape, Layout layout = Layout.Nchw)
    {
        var leaf = Tensor.From(values, shape, Device).ToLayout(layout).Detach();
        leaf.RequiresGrad = true;
        return leaf;
    }

    /// <summary>Inputs of one problem, and its results by definition.</summary>
    private sealed class Data
    {
        public Data(Shape shape)
        {
            Shape = shape;
            var random = new Random((int)shape.Count);
            float[] Numbers(long count, float low, float high) => Array.ConvertAll(new float[count], _ => low + (high - low) * random.NextSingle());
            (X, Dy, Residual) = (Numbers(shape.Count, -1, 3), Numbers(shape.Count, -1, 1), Numbers(shape.Count, -2, 2));
            (Gamma, Beta, Mean, Variance) = (Numbers(Channels, 0.5f, 4), Numbers(Channels, -1, 3), Numbers(Channels, -1, 1), Numbers(Channels, 0.5f, 2));
        }

        public Shape Shape { get; }

        public int Channels => Shape[1];

        public float[] X { get; }

        public float[] Dy { get; }

        public float[] Residual { get; }

        public float[] Gamma { get; }

        public float[] Beta { get; }

        public float[] Mean { get; }

        public float[] Variance { get; }

        /// <summary>y, dx, dgamma, dbeta, dresidual with the arithmetic in T.</summary>
        public double[][] Result<T>(ActivationKind activation, bool residual, bool training) where T : System.Numerics.IFloatingPointIeee754<T>
        {
            static T[] In(float[] values) => Array.ConvertAll(values, T.CreateChecked);
            static double[] Out(T[] values) => Array.ConvertAll(values, double.CreateChecked);
            var (n, c, l, eps) = (Shape[0], Channels, (int)Shape.CountFrom(2), T.CreateChecked(1e-5f));
            var (x, gamma, mean, variance) = (In(X), In(Gamma), In(Mean), In(Variance));
            if (training) (mean, variance) = NaiveBatchNorm.Statistics(x, n, c, l);
            var z = NaiveBatchNorm.Forward(x, mean, variance, gamma, In(Beta), eps, c, l);
            if (residual) z = [.. z.Zip(In(Residual), (a, b) => a + b)];
            var high = activation == ActivationKind.Relu6 ? T.CreateChecked(6) : T.PositiveInfinity;
            T[] dz = [.. z.Zip(In(Dy), (value, dy) => value > T.Zero && value < high ? dy : T.Zero)];
            var (dx, dgamma, dbeta) = NaiveBatchNorm.Backward(x, dz, mean, variance, gamma, eps, training, n, c, l);
            return [Out(Array.ConvertAll(z, value => T.Min(T.Max(value, T.Zero), high))), Out(dx), Out(dgamma), Out(dbeta), Out(dz)];
        }
    }
}
