namespace CnnNative;

/// <summary>A vertical and a horizontal size, such as a filter's, a stride's or a dilation's. One number means both.</summary>
/// <param name="H">Vertical.</param>
/// <param name="W">Horizontal.</param>
public readonly record struct Pair(int H, int W)
{
    /// <summary>The same size both ways.</summary>
    /// <param name="size">Vertical and horizontal.</param>
    public static implicit operator Pair(int size) => new(size, size);

    /// <summary>Two sizes.</summary>
    /// <param name="sizes">Vertical, horizontal.</param>
    public static implicit operator Pair((int H, int W) sizes) => new(sizes.H, sizes.W);

    /// <inheritdoc cref="op_Implicit(int)"/>
    public static Pair FromInt32(int size) => size;

    /// <inheritdoc cref="op_Implicit(ValueTuple{int, int})"/>
    public static Pair FromValueTuple((int H, int W) sizes) => sizes;

    /// <summary>The sizes, such as (3, 5).</summary>
    public override string ToString() => $"({H}, {W})";
}
