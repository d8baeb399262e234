using CnnNative.Layers;
using CnnNative.Optimizers;

namespace CnnNative.Training;

/// <summary>
/// One step of training: scores, loss, gradients, clipped if that is asked, update. Captured, full batches are copied to fixed tensors and the step
/// is replayed as one CUDA graph; a batch that is not full runs as it is.
/// </summary>
internal sealed class TrainingStep(Module model, Optimizer optimizer, int batchSize, int classes, bool isCaptured, float clipNorm = 0f) : IDisposable
{
    private CapturedStep? captured;
    private Tensor? images, labels, scores, loss;

    /// <summary>Runs the step, in a scope of the caller's.</summary>
    /// <param name="batchImages">Images (N, C, H, W).</param>
    /// <param name="batchLabels">Classes (N).</param>
    /// <returns>Mean loss and scores (N, classes), until the next step.</returns>
    public (Tensor Loss, Tensor Scores) Run(Tensor batchImages, Tensor batchLabels)
    {
        if (!isCaptured || batchImages.Shape[0] != batchSize) return Compute(batchImages, batchLabels);
        if (captured is not null)
        {
            images!.CopyFrom(batchImages);
            labels!.CopyFrom(batchLabels);
            captured.Replay();
            return (loss!, scores!);
        }

        Prepare(batchImages, batchLabels);
        captured = batchImages.Device.Capture(() =>
        {
            var (stepLoss, stepScores) = Compute(images!, labels!);
            loss!.CopyFrom(stepLoss);
            scores!.CopyFrom(stepScores);
        });
        return (loss!, scores!);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        captured?.Dispose();
        foreach (var tensor in (Tensor?[])[images, labels, scores, loss]) tensor?.Dispose();
    }

    private (Tensor Loss, Tensor Scores) Compute(Tensor batchImages, Tensor batchLabels)
    {
        var stepScores = model.Forward(batchImages);
        var stepLoss = Functional.CrossEntropy(stepScores, batchLabels);
        stepLoss.Backward();
        if (clipNorm > 0) GradientClipping.ByNorm(optimizer.Parameters, clipNorm);
        optimizer.Step();
        return (stepLoss, stepScores);
    }

    /// <summary>Makes the fixed tensors, which live as long as the captured step.</summary>
    private void Prepare(Tensor batchImages, Tensor batchLabels)
    {
        var device = batchImages.Device;
        using var scope = Scope.Unowned();
        images = batchImages.Clone();
        labels = batchLabels.Clone();
        loss = Tensor.Empty(Shape.Scalar, DType.Float32, device);
        scores = Tensor.Empty([batchSize, classes], DType.Float32, device);
    }
}
