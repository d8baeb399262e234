using CnnNative.Layers;
using CnnNative.Vision;

namespace CnnNative.Training;

/// <summary>Measures a classifier over a data set.</summary>
public static class Evaluator
{
    /// <summary>Runs the model, in inference, over every image once.</summary>
    /// <param name="model">Gives scores (N, C).</param>
    /// <param name="data">Images and their classes.</param>
    /// <param name="cancellation">Ends the measurement early.</param>
    /// <exception cref="ShapeException">The model gives scores for another number of classes.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Confusion Run(Module model, DataLoader data, CancellationToken cancellation = default)
    {
        model.Eval();
        var classes = data.Dataset.ClassCount;
        var confusion = new Confusion(classes);
        foreach (var (images, labels) in data.Epoch(0))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = images.Device.Inference();
            var scores = model.Forward(images);
            if (scores.Rank != 2 || scores.Shape[1] != classes)
                throw new ShapeException("Evaluator", $"the model gives scores {scores.Shape}, the data set has {classes} classes");
            var loss = Functional.CrossEntropy(scores, labels).Item();
            confusion.Add(scores.ToArray<float>(), labels.ToArray<long>(), (double)loss * labels.Shape[0]);
        }

        return confusion;
    }
}
