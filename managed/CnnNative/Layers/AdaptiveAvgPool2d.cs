using CnnNative.Engines;

namespace CnnNative.Layers;

/// <summary>The mean of windows that are fitted to a size of the output: see <see cref="Functional.AdaptiveAvgPool2d"/>.</summary>
/// <param name="output">Size (P, Q) of the output, whatever the input's.</param>
public sealed class AdaptiveAvgPool2d(Pair output) : Module
{
    /// <summary>The largest window over an input of that size, and the mean step, rounded up.</summary>
    /// <inheritdoc/>
    public override Window? WindowOver(Shape input) => new(
        (Largest(input[2], output.H), Largest(input[3], output.W)), (Step(input[2], output.H), Step(input[3], output.W)), 1);

    /// <summary>Such as AdaptiveAvgPool2d((7, 7)).</summary>
    public override string ToString() => $"AdaptiveAvgPool2d({output})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.AdaptiveAvgPool2d(x, output);

    private static int Largest(int size, int count)
    {
        var (windows, largest) = (new AdaptiveWindows(size, count), 0);
        for (var i = 0; i < count; i++)
        {
            windows.MoveNext();
            largest = Math.Max(largest, windows.Length);
        }

        return largest;
    }

    private static int Step(int size, int count) => (size - 1) / count + 1;
}
