using CnnNative.Autograd;
using CnnNative.Engines;

namespace CnnNative;

public static partial class Functional
{
    /// <summary>y = x w^T + bias along the last axis.</summary>
    /// <param name="x">Input (..., in).</param>
    /// <param name="weight">Weights (out, in).</param>
    /// <param name="bias">Bias (out), or null.</param>
    /// <param name="activation">A function applied to the result within the same operation.</param>
    /// <returns>(..., out).</returns>
    /// <exception cref="ShapeException">The last size of x is not that of the weights, or the bias does not fit.</exception>
    /// <exception cref="DTypeException">Weights or bias are not of the type of x.</exception>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias = null, ActivationKind activation = ActivationKind.Identity)
    {
        const string operation = "Linear";
        Require.SameDevice(operation, x, weight, bias);
        Require.Rank(operation, nameof(weight), weight, 2, "(out, in)");
        Require.DType(operation, nameof(weight), weight, x.DType);
        if (bias is not null) Require.DType(operation, nameof(bias), bias, x.DType);
        Require.Computable(operation, x);
        var (outputs, inputs) = (weight.Shape[0], weight.Shape[1]);
        if (x.Rank == 0 || x.Shape[-1] != inputs)
            throw new ShapeException(operation, $"x {x.Shape} and weight {weight.Shape}: the last size of x must be {inputs}");
        Require.Shape(operation, nameof(bias), bias, [outputs]);
        if (x.Rank != 2) return LinearOverRows(x, weight, bias, activation);

        var engine = x.Device.Engine.Matrix;
        var y = Tensor.Empty([x.Shape[0], outputs], x.DType, x.Device);
        engine.LinearForward(x, weight, bias, activation, y);
        return Tape.Record(operation, y, [x, weight, bias], (gradient, needs) =>
        {
            var db = needs[2] ? EmptyLike(bias!) : null;
            using var dy = BeforeActivation(activation, y, gradient, db);
            var dx = needs[0] ? EmptyLike(x) : null;
            var dw = needs[1] ? EmptyLike(weight) : null;
            if (dx is not null) engine.Multiply(dy, transposeA: false, weight, transposeB: false, dx);
            if (dw is not null) engine.Multiply(dy, transposeA: true, x, transposeB: false, dw);
            return [dx, dw, db];
        });
    }

    private static Tensor LinearOverRows(Tensor x, Tensor weight, Tensor? bias, ActivationKind activation)
    {
        var rows = x.Shape.With(-1, 1).Count;
        var y = Linear(x.Reshape((int)rows, x.Shape[-1]), weight, bias, activation);
        return y.Reshape(x.Shape.With(-1, weight.Shape[0]).Sizes);
    }
}
