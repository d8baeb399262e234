using CnnNative.Engines;

namespace CnnNative.Training;

/// <summary>
/// Losses and hits of the last steps, kept on the device: a step only queues two small copies, and the host reads
/// <see cref="Capacity"/> steps at once. So the check for a loss that is not finite costs no wait per step and still
/// names the step.
/// </summary>
internal sealed class StepLog : IDisposable
{
    /// <summary>Most steps that run between a loss that is not finite and its discovery.</summary>
    public const int Capacity = 16;

    private readonly Device device;
    private readonly Tensor losses, hits;
    private readonly List<int> images = new(Capacity);

    public StepLog(Device device)
    {
        this.device = device;
        using var scope = Scope.Unowned();
        losses = Tensor.Empty([Capacity], DType.Float32, device);
        hits = Tensor.Empty([Capacity], DType.Int64, device);
    }

    /// <summary>Steps noted since the last reading.</summary>
    public int Count => images.Count;

    public bool IsFull => images.Count == Capacity;

    /// <summary>Notes one step.</summary>
    /// <param name="loss">Mean loss of the batch, a scalar.</param>
    /// <param name="scores">Scores (N, C).</param>
    /// <param name="labels">Classes (N).</param>
    public void Add(Tensor loss, Tensor scores, Tensor labels)
    {
        using var scope = Scope.NoGradients();
        using var count = Tensor.Empty(Shape.Scalar, DType.Int64, device);
        device.Engine.Loss.CountHits(scores, labels, count);
        var slot = new BlockCopy(Count: 1, Length: 1, SourceStart: 0, SourceStep: 1, TargetStart: images.Count, TargetStep: 1);
        device.Engine.Layout.CopyBlocks(loss, losses, slot);
        device.Engine.Layout.CopyBlocks(count, hits, slot);
        images.Add(labels.Shape[0]);
    }

    /// <summary>Empties the log into a tally. A loss that is not finite ends it: its place among the steps read and its value are given.</summary>
    /// <param name="tally">The steps before.</param>
    /// <param name="firstBad">Place of the first loss that is not finite, from 0, and its value; null if there is none.</param>
    public Tally Drain(Tally tally, out (int Place, float Loss)? firstBad)
    {
        firstBad = null;
        if (images.Count == 0) return tally;
        var lossOf = losses.ToArray<float>();
        var hitsOf = hits.ToArray<long>();
        for (var i = 0; i < images.Count && firstBad is null; i++)
        {
            if (float.IsFinite(lossOf[i])) tally = tally.Add(lossOf[i], hitsOf[i], images[i]);
            else firstBad = (i, lossOf[i]);
        }

        images.Clear();
        return tally;
    }

    public void Dispose()
    {
        losses.Dispose();
        hits.Dispose();
    }
}
