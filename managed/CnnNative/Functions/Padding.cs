namespace CnnNative;

/// <summary>Rows and columns added around an image, by side. One number means every side; two mean vertical and horizontal.</summary>
/// <param name="Top">Rows above.</param>
/// <param name="Bottom">Rows below.</param>
/// <param name="Left">Columns on the left.</param>
/// <param name="Right">Columns on the right.</param>
public readonly record struct Padding(int Top, int Bottom, int Left, int Right)
{
    /// <summary>No padding: only windows that lie inside the image.</summary>
    public static Padding Valid { get; }

    /// <summary>As much as keeps the size at stride 1; where it is odd, the larger half goes below and to the right, as in PyTorch.</summary>
    public static Padding Same { get; } = new(0, 0, 0, 0) { IsSame = true };

    /// <summary>Whether this is <see cref="Same"/>, which depends on the filter.</summary>
    public bool IsSame { get; private init; }

    /// <summary>The same padding on every side.</summary>
    /// <param name="size">Rows and columns per side.</param>
    public static implicit operator Padding(int size) => new(size, size, size, size);

    /// <summary>Vertical padding above and below, horizontal padding left and right.</summary>
    /// <param name="sizes">Vertical, horizontal.</param>
    public static implicit operator Padding((int H, int W) sizes) => new(sizes.H, sizes.H, sizes.W, sizes.W);

    /// <summary>Padding by side.</summary>
    /// <param name="sides">Above, below, left, right.</param>
    public static implicit operator Padding((int Top, int Bottom, int Left, int Right) sides) =>
        new(sides.Top, sides.Bottom, sides.Left, sides.Right);

    /// <inheritdoc cref="op_Implicit(int)"/>
    public static Padding FromInt32(int size) => size;

    /// <inheritdoc cref="op_Implicit(ValueTuple{int, int})"/>
    public static Padding FromValueTuple((int H, int W) sizes) => sizes;

    /// <summary>The padding for one filter: <see cref="Same"/> becomes numbers.</summary>
    /// <param name="kernel">Filter size.</param>
    /// <param name="stride">Step; must be 1 for <see cref="Same"/>.</param>
    /// <param name="dilation">Distance of taps.</param>
    /// <exception cref="ShapeException">Same padding with a stride other than 1.</exception>
    public Padding For(Pair kernel, Pair stride, Pair dilation)
    {
        if (!IsSame) return this;
        if (stride != 1) throw new ShapeException("Conv2d", $"padding Same needs stride 1, stride is {stride}");
        var rows = dilation.H * (kernel.H - 1);
        var columns = dilation.W * (kernel.W - 1);
        return new Padding(rows / 2, rows - rows / 2, columns / 2, columns - columns / 2);
    }
}
