namespace CnnNative.Layers;

/// <summary>In training, sets elements to zero with a probability and scales the others by 1 / (1 - probability).</summary>
/// <param name="probability">Probability of zero, 0 to 1.</param>
public sealed class Dropout(float probability = 0.5f) : Module
{
    /// <summary>Such as Dropout(0.5).</summary>
    public override string ToString() => $"Dropout({probability})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.Dropout(x, probability, Training);
}

/// <summary>In training, sets whole channels of (N, C, ...) to zero with a probability and scales the others by 1 / (1 - probability).</summary>
/// <param name="probability">Probability of zero, 0 to 1.</param>
public sealed class Dropout2d(float probability = 0.5f) : Module
{
    /// <summary>Such as Dropout2d(0.2).</summary>
    public override string ToString() => $"Dropout2d({probability})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.Dropout2d(x, probability, Training);
}
