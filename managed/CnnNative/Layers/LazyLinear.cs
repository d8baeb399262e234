namespace CnnNative.Layers;

/// <summary>A <see cref="Linear"/> that learns its input size from its first input, or from the state loaded into it.</summary>
public sealed class LazyLinear : Linear
{
    /// <summary>Creates the layer without parameters.</summary>
    /// <param name="outFeatures">Size of the last axis of the output.</param>
    /// <param name="bias">Whether a number is added per output.</param>
    /// <param name="device">Where the parameters will be; the default device if null.</param>
    public LazyLinear(int outFeatures, bool bias = true, Device? device = null) : base(outFeatures, bias, device)
    {
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        if (!IsMaterialized)
        {
            if (x.Rank == 0) throw new ShapeException("LazyLinear", "x is a scalar, expected (..., in)");
            Materialize(x.Shape[-1]);
            To(x.Device);
        }

        return base.Compute(x);
    }

    private protected override void AdoptSizes(IReadOnlyDictionary<string, Tensor> state, string prefix)
    {
        if (!IsMaterialized && state.TryGetValue(prefix + "weight", out var weight) && weight.Rank == 2) Materialize(weight.Shape[1]);
    }
}
