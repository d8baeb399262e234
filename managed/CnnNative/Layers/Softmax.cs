namespace CnnNative.Layers;

/// <summary>exp(x) / sum exp(x) along one axis.</summary>
/// <param name="axis">The axis; may count from the end.</param>
public sealed class Softmax(int axis = -1) : Module
{
    /// <summary>Such as Softmax(-1).</summary>
    public override string ToString() => $"Softmax({axis})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.Softmax(x, axis);
}

/// <summary>x - log(sum exp(x)) along one axis.</summary>
/// <param name="axis">The axis; may count from the end.</param>
public sealed class LogSoftmax(int axis = -1) : Module
{
    /// <summary>Such as LogSoftmax(-1).</summary>
    public override string ToString() => $"LogSoftmax({axis})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.LogSoftmax(x, axis);
}
