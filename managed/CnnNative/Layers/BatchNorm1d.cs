namespace CnnNative.Layers;

/// <summary>Batch normalisation of (N, C) or (N, C, L).</summary>
public class BatchNorm1d : BatchNorm
{
    /// <summary>Creates the layer: scale 1, shift 0, running mean 0, running variance 1.</summary>
    /// <param name="channels">Channels C.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="momentum">Weight of a batch in the running statistics; null for the plain average over all batches.</param>
    /// <param name="affine">Whether scale and shift are learned.</param>
    /// <param name="trackRunningStats">Whether running statistics are kept; without them, the batch's are always used.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    /// <exception cref="ShapeException">The number of channels is not positive.</exception>
    public BatchNorm1d(int channels, float eps = 1e-5f, float? momentum = 0.1f, bool affine = true, bool trackRunningStats = true, Device? device = null)
        : base(channels, eps, momentum, affine, trackRunningStats, device)
    {
    }

    private protected BatchNorm1d(float eps, float? momentum, bool affine, bool trackRunningStats, Device? device)
        : base(null, eps, momentum, affine, trackRunningStats, device)
    {
    }

    private protected override void CheckRank(Tensor x)
    {
        if (x.Rank is not (2 or 3)) throw new ShapeException("BatchNorm1d", $"x has shape {x.Shape}, expected (N, C) or (N, C, L)");
    }
}
