namespace CnnNative.Training;

/// <summary>What a classifier took images for: a count for each pair of true class and predicted class.</summary>
public sealed class Confusion
{
    private readonly long[] counts;
    private double lossSum;

    /// <summary>Creates an empty matrix.</summary>
    /// <param name="classes">Number of classes.</param>
    public Confusion(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        Classes = classes;
        counts = new long[classes * classes];
    }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>Loss and top-1 hits over all images.</summary>
    public Tally Tally => new(lossSum, Enumerable.Range(0, Classes).Sum(c => this[c, c]), counts.Sum());

    /// <summary>Images of one class that were taken for another.</summary>
    /// <param name="actual">The true class.</param>
    /// <param name="predicted">The class with the largest score.</param>
    public long this[int actual, int predicted] => counts[actual * Classes + predicted];

    /// <summary>Images of one class.</summary>
    /// <param name="actual">The true class.</param>
    public long Images(int actual) => counts.AsSpan(actual * Classes, Classes).ToArray().Sum();

    /// <summary>Adds a batch.</summary>
    /// <param name="scores">Scores (N, C), row by row. The largest decides; of equals the first.</param>
    /// <param name="labels">True classes (N).</param>
    /// <param name="lossSum">Sum of the losses of the batch.</param>
    public void Add(ReadOnlySpan<float> scores, ReadOnlySpan<long> labels, double lossSum)
    {
        for (var i = 0; i < labels.Length; i++)
            counts[labels[i] * Classes + Largest(scores.Slice(i * Classes, Classes))]++;
        this.lossSum += lossSum;
    }

    private static int Largest(ReadOnlySpan<float> scores)
    {
        var best = 0;
        for (var c = 1; c < scores.Length; c++)
        {
            if (scores[c] > scores[best]) best = c;
        }

        return best;
    }
}
