using CnnNative.Autograd;
using CnnNative.Engines;

namespace CnnNative;

public static partial class Functional
{
    /// <summary>The label that PyTorch ignores by default.</summary>
    public const long DefaultIgnoreIndex = -100;

    /// <summary>Cross-entropy of scores before softmax against class labels.</summary>
    /// <param name="logits">Scores (N, C) or (N, C, ...).</param>
    /// <param name="labels">Classes as Int64 (N) or (N, ...).</param>
    /// <param name="weight">Weight of each class (C), or null for 1.</param>
    /// <param name="reduction">Mean over the elements that count (weighted), or sum.</param>
    /// <param name="labelSmoothing">Share of the target spread evenly over all classes, 0 to 1 (Szegedy et al., 2016, section 7).</param>
    /// <param name="ignoreIndex">The label that does not count.</param>
    /// <returns>A scalar. The mean over nothing is NaN.</returns>
    /// <exception cref="ShapeException">Labels or weights do not fit the scores.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is not a class, or the smoothing not between 0 and 1.</exception>
    public static Tensor CrossEntropy(
        Tensor logits, Tensor labels, Tensor? weight = null, Reduction reduction = Reduction.Mean,
        float labelSmoothing = 0f, long ignoreIndex = DefaultIgnoreIndex)
    {
        const string operation = "CrossEntropy";
        Require.SameDevice(operation, logits, labels, weight);
        Require.Computable(operation, logits);
        if (logits.Rank < 2) throw new ShapeException(operation, $"logits have shape {logits.Shape}, expected (N, C) or (N, C, ...)");
        Require.DType(operation, nameof(labels), labels, DType.Int64);
        Require.Shape(operation, nameof(labels), labels, [logits.Shape[0], .. logits.Shape.Sizes[2..]]);
        Require.Shape(operation, nameof(weight), weight, [logits.Shape[1]]);
        if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
            throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, $"{operation}: label smoothing must be between 0 and 1");

        var settings = new CrossEntropySettings(reduction, labelSmoothing, ignoreIndex);
        var engine = logits.Device.Engine.Loss;
        var probabilities = EmptyLike(logits);
        var loss = Tensor.Empty(Shape.Scalar, logits.DType, logits.Device);
        var divisor = Tensor.Empty(Shape.Scalar, DType.Float32, logits.Device);
        engine.CrossEntropyForward(logits, labels, weight, settings, probabilities, loss, divisor);
        if (!Tape.Records(logits))
        {
            probabilities.Dispose();
            divisor.Dispose();
            return loss;
        }

        return Tape.Record(operation, loss, [logits], (dloss, _) =>
        {
            var dlogits = EmptyLike(logits);
            engine.CrossEntropyBackward(probabilities, labels, weight, settings, divisor, dloss, dlogits);
            return [dlogits];
        });
    }

    /// <summary>How many rows have their largest score at the label (top-1 hits).</summary>
    /// <param name="scores">Scores (N, C).</param>
    /// <param name="labels">Classes as Int64 (N).</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static long CountHits(Tensor scores, Tensor labels)
    {
        const string operation = "CountHits";
        Require.SameDevice(operation, scores, labels);
        Require.Rank(operation, nameof(scores), scores, 2, "(N, C)");
        Require.DType(operation, nameof(labels), labels, DType.Int64);
        Require.Shape(operation, nameof(labels), labels, [scores.Shape[0]]);
        using var hits = Tensor.Empty(Shape.Scalar, DType.Int64, scores.Device);
        scores.Device.Engine.Loss.CountHits(scores, labels, hits);
        return hits.ToArray<long>()[0];
    }
}
