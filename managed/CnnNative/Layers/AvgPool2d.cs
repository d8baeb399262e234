namespace CnnNative.Layers;

/// <summary>The mean of each window: see <see cref="Functional.AvgPool2d"/>.</summary>
/// <param name="kernel">Window size.</param>
/// <param name="stride">Step; the window size if null.</param>
/// <param name="padding">Rows and columns of zeros.</param>
/// <param name="ceilMode">Whether a last window may hang over the edge.</param>
/// <param name="countIncludePad">Whether padded zeros count in the divisor.</param>
public sealed class AvgPool2d(Pair kernel, Pair? stride = null, Pair padding = default, bool ceilMode = false, bool countIncludePad = true) : Module
{
    /// <inheritdoc/>
    public override Window? WindowOver(Shape input) => new(kernel, stride ?? kernel, 1);

    /// <summary>Such as AvgPool2d((2, 2)).</summary>
    public override string ToString() => $"AvgPool2d({kernel})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.AvgPool2d(x, kernel, stride, padding, ceilMode, countIncludePad);
}
