namespace CnnNative.Layers;

/// <summary>Joins the dimensions from first to last into one.</summary>
/// <param name="first">First dimension joined.</param>
/// <param name="last">Last dimension joined; may count from the end.</param>
public sealed class Flatten(int first = 1, int last = -1) : Module
{
    /// <summary>Such as Flatten(1, -1).</summary>
    public override string ToString() => $"Flatten({first}, {last})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.Flatten(x, first, last);
}
