namespace CnnNative.Training;

/// <summary>Loss and top-1 hits summed over images. Sums, not means, so that a tally can go on where another one ended.</summary>
/// <param name="LossSum">Sum of the losses of the images.</param>
/// <param name="Hits">Images whose largest score is that of their class.</param>
/// <param name="Images">Number of images.</param>
public readonly record struct Tally(double LossSum, long Hits, long Images)
{
    /// <summary>Mean loss per image; NaN over no images.</summary>
    public double Loss => LossSum / Images;

    /// <summary>Share of hits, 0 to 1; NaN over no images.</summary>
    public double Accuracy => (double)Hits / Images;

    /// <summary>This tally and one batch more.</summary>
    /// <param name="meanLoss">Mean loss of the batch.</param>
    /// <param name="hits">Hits of the batch.</param>
    /// <param name="images">Images of the batch.</param>
    public Tally Add(float meanLoss, long hits, int images) => new(LossSum + (double)meanLoss * images, Hits + hits, Images + images);
}
