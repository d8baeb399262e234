namespace CnnNative.Engines;

/// <summary>
/// The lines of a tensor along one axis, in the order of memory: element i of line (o, j) is at (o * Size + i) * Inner + j.
/// </summary>
/// <param name="Outer">Product of the sizes outside the axis.</param>
/// <param name="Size">Size of the axis.</param>
/// <param name="Inner">Product of the sizes inside it: the distance of neighbours along a line.</param>
internal readonly record struct AxisLines(long Outer, long Size, long Inner)
{
    /// <summary>Number of lines.</summary>
    public long Count => Outer * Inner;

    /// <summary>The lines of x along an axis, from 0.</summary>
    public static AxisLines Along(Tensor x, int axis)
    {
        var shape = x.Shape;
        if (x.Layout == Layout.Nchw) return new(shape.Count / Math.Max(1, shape.CountFrom(axis)), shape[axis], shape.CountFrom(axis + 1));

        long n = shape[0], c = shape[1], h = shape[2], w = shape[3];
        return axis switch
        {
            0 => new(1, n, h * w * c),
            1 => new(n * h * w, c, 1),
            2 => new(n, h, w * c),
            _ => new(n * h, w, c),
        };
    }
}
