using CnnNative.Autograd;
using CnnNative.Engines;

namespace CnnNative;

public static partial class Functional
{
    /// <summary>max(x, 0).</summary>
    /// <param name="x">Input of any shape.</param>
    public static Tensor Relu(Tensor x) => Activate(ActivationKind.Relu, x);

    /// <summary>min(max(x, 0), 6).</summary>
    /// <param name="x">Input of any shape.</param>
    public static Tensor Relu6(Tensor x) => Activate(ActivationKind.Relu6, x);

    /// <summary>1 / (1 + exp(-x)).</summary>
    /// <param name="x">Input of any shape.</param>
    public static Tensor Sigmoid(Tensor x) => Activate(ActivationKind.Sigmoid, x);

    /// <summary>The hyperbolic tangent.</summary>
    /// <param name="x">Input of any shape.</param>
    public static Tensor Tanh(Tensor x) => Activate(ActivationKind.Tanh, x);

    /// <summary>An activation by name.</summary>
    /// <param name="kind">The function.</param>
    /// <param name="x">Input of any shape.</param>
    public static Tensor Activate(ActivationKind kind, Tensor x)
    {
        Require.Computable(kind.ToString(), x);
        var engine = x.Device.Engine.Activation;
        var y = EmptyLike(x);
        engine.Forward(kind, x, y);
        return Tape.Record(kind.ToString(), y, [x], (dy, _) =>
        {
            var dx = EmptyLike(x);
            engine.Backward(kind, y, dy, dx);
            return [dx];
        });
    }

    /// <summary>exp(x) / sum exp(x) along one axis.</summary>
    /// <param name="x">Input.</param>
    /// <param name="axis">The axis; may count from the end.</param>
    public static Tensor Softmax(Tensor x, int axis = -1) => Softmax(x, axis, logarithm: false);

    /// <summary>x - log(sum exp(x)) along one axis.</summary>
    /// <param name="x">Input.</param>
    /// <param name="axis">The axis; may count from the end.</param>
    public static Tensor LogSoftmax(Tensor x, int axis = -1) => Softmax(x, axis, logarithm: true);

    private static Tensor Softmax(Tensor x, int axis, bool logarithm)
    {
        Require.Computable(logarithm ? "LogSoftmax" : "Softmax", x);
        var along = x.Shape.Axis(axis);
        var engine = x.Device.Engine.Activation;
        var y = EmptyLike(x);
        engine.SoftmaxForward(x, along, logarithm, y);
        return Tape.Record(logarithm ? "LogSoftmax" : "Softmax", y, [x], (dy, _) =>
        {
            var dx = EmptyLike(x);
            engine.SoftmaxBackward(y, dy, along, logarithm, dx);
            return [dx];
        });
    }
}
