namespace CnnNative.Layers;

/// <summary>A <see cref="BatchNorm1d"/> that learns its channels from its first input, or from the state loaded into it.</summary>
public sealed class LazyBatchNorm1d : BatchNorm1d
{
    /// <summary>Creates the layer without parameters.</summary>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="momentum">Weight of a batch in the running statistics; null for the plain average over all batches.</param>
    /// <param name="affine">Whether scale and shift are learned.</param>
    /// <param name="trackRunningStats">Whether running statistics are kept.</param>
    /// <param name="device">Where the parameters will be; the default device if null.</param>
    public LazyBatchNorm1d(float eps = 1e-5f, float? momentum = 0.1f, bool affine = true, bool trackRunningStats = true, Device? device = null)
        : base(eps, momentum, affine, trackRunningStats, device)
    {
    }

    private protected override bool IsLazy => true;
}
