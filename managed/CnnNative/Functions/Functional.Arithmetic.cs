using CnnNative.Autograd;

namespace CnnNative;

public static partial class Functional
{
    /// <summary>a + b, elementwise: the residual connection.</summary>
    /// <param name="a">First summand.</param>
    /// <param name="b">Second summand, of the same shape.</param>
    /// <exception cref="ShapeException">The shapes differ.</exception>
    public static Tensor Add(Tensor a, Tensor b)
    {
        SameShape("Add", a, b);
        Require.Computable("Add", a);
        using var ordered = b.ToLayoutOrNull(a.Layout);
        var y = EmptyLike(a);
        a.Device.Engine.Elementwise.Add(a, ordered ?? b, y);
        var layoutOfB = b.Layout;
        return Tape.Record("Add", y, [a, b], (dy, needs) =>
            [needs[0] ? dy.Alias() : null, needs[1] ? dy.ToLayout(layoutOfB) : null]);
    }

    /// <summary>a * b, elementwise.</summary>
    /// <param name="a">First factor.</param>
    /// <param name="b">Second factor, of the same shape and layout.</param>
    /// <exception cref="ShapeException">The shapes or layouts differ.</exception>
    public static Tensor Multiply(Tensor a, Tensor b)
    {
        SameShape("Multiply", a, b);
        Require.Computable("Multiply", a);
        if (a.Layout != b.Layout) throw new ShapeException("Multiply", $"layouts {a.Layout} and {b.Layout} differ; ToLayout makes them alike");
        var engine = a.Device.Engine.Elementwise;
        var y = EmptyLike(a);
        engine.Multiply(a, b, y);
        return Tape.Record("Multiply", y, [a, b], (dy, needs) => [needs[0] ? Product(dy, b) : null, needs[1] ? Product(dy, a) : null]);

        Tensor Product(Tensor dy, Tensor other)
        {
            var product = EmptyLike(other);
            engine.Multiply(dy, other, product);
            return product;
        }
    }

    /// <summary>factor * x.</summary>
    /// <param name="x">Input.</param>
    /// <param name="factor">Scalar.</param>
    public static Tensor Scale(Tensor x, float factor)
    {
        Require.Computable("Scale", x);
        var engine = x.Device.Engine.Elementwise;
        var y = EmptyLike(x);
        engine.Scale(x, factor, y);
        return Tape.Record("Scale", y, [x], (dy, _) =>
        {
            var dx = EmptyLike(x);
            engine.Scale(dy, factor, dx);
            return [dx];
        });
    }

    /// <summary>The sum of all elements, a scalar.</summary>
    /// <param name="x">Input.</param>
    public static Tensor Sum(Tensor x) => SumTimes("Sum", x, 1f);

    /// <summary>The mean of all elements, a scalar; NaN over nothing.</summary>
    /// <param name="x">Input.</param>
    public static Tensor Mean(Tensor x) => SumTimes("Mean", x, 1f / x.Count);

    private static Tensor SumTimes(string operation, Tensor x, float factor)
    {
        Require.Computable(operation, x);
        var engine = x.Device.Engine.Elementwise;
        var y = Tensor.Empty(Shape.Scalar, x.DType, x.Device);
        engine.Sum(x, y);
        if (factor != 1f) engine.Scale(y, factor, y);
        return Tape.Record(operation, y, [x], (dy, _) =>
        {
            var dx = EmptyLike(x);
            engine.Broadcast(dy, factor, dx);
            return [dx];
        });
    }

    private static void SameShape(string operation, Tensor a, Tensor b)
    {
        Require.SameDevice(operation, a, b);
        Require.Shape(operation, nameof(b), b, a.Shape);
        Require.DType(operation, nameof(b), b, a.DType);
    }
}
