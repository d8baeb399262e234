namespace CnnNative.Layers;

/// <summary>The largest element of each window: see <see cref="Functional.MaxPool2d"/>.</summary>
/// <param name="kernel">Window size.</param>
/// <param name="stride">Step; the window size if null.</param>
/// <param name="padding">Rows and columns that are never picked.</param>
/// <param name="dilation">Distance within the window; 1 if null.</param>
/// <param name="ceilMode">Whether a last window may hang over the edge.</param>
public sealed class MaxPool2d(Pair kernel, Pair? stride = null, Pair padding = default, Pair? dilation = null, bool ceilMode = false) : Module
{
    /// <inheritdoc/>
    public override Window? WindowOver(Shape input) => new(kernel, stride ?? kernel, dilation ?? 1);

    /// <summary>Such as MaxPool2d((2, 2)).</summary>
    public override string ToString() => $"MaxPool2d({kernel})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.MaxPool2d(x, kernel, stride, padding, dilation, ceilMode);
}
