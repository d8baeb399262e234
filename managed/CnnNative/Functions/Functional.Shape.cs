using CnnNative.Autograd;
using CnnNative.Engines;

namespace CnnNative;

public static partial class Functional
{
    /// <summary>Joins the dimensions from first to last into one.</summary>
    /// <param name="x">Input.</param>
    /// <param name="first">First dimension joined.</param>
    /// <param name="last">Last dimension joined; may count from the end.</param>
    public static Tensor Flatten(Tensor x, int first = 1, int last = -1)
    {
        if (x.Rank == 0) return x.Reshape(1);
        var (from, to) = (x.Shape.Axis(first), x.Shape.Axis(last));
        if (from > to) throw new ShapeException("Flatten", $"first dimension {first} comes after last {last} in {x.Shape}");
        var joined = 1L;
        foreach (var size in x.Shape.Sizes[from..(to + 1)]) joined *= size;
        return x.Reshape([.. x.Shape.Sizes[..from], checked((int)joined), .. x.Shape.Sizes[(to + 1)..]]);
    }

    /// <summary>Puts tensors behind each other along one axis.</summary>
    /// <param name="tensors">At least one; all sizes but that of the axis are alike.</param>
    /// <param name="axis">The axis; may count from the end.</param>
    /// <exception cref="ShapeException">There is no tensor, or the shapes do not fit.</exception>
    public static Tensor Concat(IReadOnlyList<Tensor> tensors, int axis = 1)
    {
        if (tensors.Count == 0) throw new ShapeException("Concat", "no tensors were given");
        var first = tensors[0];
        var along = first.Shape.Axis(axis);
        var total = 0;
        foreach (var tensor in tensors)
        {
            Require.SameDevice("Concat", first, tensor);
            Require.DType("Concat", nameof(tensors), tensor, first.DType);
            if (tensor.Rank != first.Rank || tensor.Shape.With(along, 0) != first.Shape.With(along, 0))
                throw new ShapeException("Concat", $"shapes {first.Shape} and {tensor.Shape} differ beside axis {along}");
            total = checked(total + tensor.Shape[along]);
        }

        var y = Tensor.Empty(first.Shape.With(along, total), first.DType, first.Device, first.Layout);
        var start = 0;
        foreach (var tensor in tensors)
        {
            using var converted = tensor.ToLayoutOrNull(y.Layout);
            first.Device.Engine.Layout.CopyBlocks(converted ?? tensor, y, Slice(tensor.Shape, y.Shape, along, start, y.Layout, intoTarget: true));
            start += tensor.Shape[along];
        }

        var inputs = tensors.ToArray();
        return Tape.Record("Concat", y, inputs, (dy, needs) => Split(dy, inputs, needs, along));
    }

    private static Tensor?[] Split(Tensor dy, Tensor[] inputs, bool[] needs, int axis)
    {
        var gradients = new Tensor?[inputs.Length];
        var start = 0;
        for (var i = 0; i < inputs.Length; i++)
        {
            if (needs[i])
            {
                var part = Tensor.Empty(inputs[i].Shape, dy.DType, dy.Device, dy.Layout);
                dy.Device.Engine.Layout.CopyBlocks(dy, part, Slice(part.Shape, dy.Shape, axis, start, dy.Layout, intoTarget: false));
                gradients[i] = InLayout(part, inputs[i].Layout);
            }

            start += inputs[i].Shape[axis];
        }

        return gradients;
    }

    /// <summary>The tensor itself, or a copy in another layout in its place.</summary>
    private static Tensor InLayout(Tensor tensor, Layout layout)
    {
        if (tensor.ToLayoutOrNull(layout) is not { } converted) return tensor;
        tensor.Dispose();
        return converted;
    }

    /// <summary>The blocks that a part takes in a whole, from index <paramref name="start"/> along an axis, in the order of their memory.</summary>
    private static BlockCopy Slice(Shape part, Shape whole, int axis, int start, Layout layout, bool intoTarget)
    {
        if (layout == Layout.Nhwc)
        {
            (part, whole) = ([part[0], part[2], part[3], part[1]], [whole[0], whole[2], whole[3], whole[1]]);
            axis = axis switch { 0 => 0, 1 => 3, _ => axis - 1 };
        }

        var inner = part.CountFrom(axis + 1);
        var length = part[axis] * inner;
        var count = length == 0 ? 0 : part.Count / length;
        var step = whole[axis] * inner;
        return intoTarget
            ? new BlockCopy(count, length, 0, length, start * inner, step)
            : new BlockCopy(count, length, start * inner, step, 0, length);
    }
}
