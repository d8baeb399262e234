using CnnNative.Engines;

namespace CnnNative.Losses;

/// <summary>Cross-entropy with softmax as an object with settings: see <see cref="Functional.CrossEntropy"/>.</summary>
/// <param name="weight">Weight of each class (C), or null for 1.</param>
/// <param name="reduction">Mean or sum.</param>
/// <param name="labelSmoothing">Share of the target spread evenly over all classes.</param>
/// <param name="ignoreIndex">The label that does not count.</param>
public sealed class CrossEntropyLoss(
    Tensor? weight = null, Reduction reduction = Reduction.Mean, float labelSmoothing = 0f, long ignoreIndex = Functional.DefaultIgnoreIndex)
{
    /// <summary>The loss, a scalar.</summary>
    /// <param name="logits">Scores (N, C) or (N, C, ...).</param>
    /// <param name="labels">Classes as Int64 (N) or (N, ...).</param>
    public Tensor Forward(Tensor logits, Tensor labels) =>
        Functional.CrossEntropy(logits, labels, weight, reduction, labelSmoothing, ignoreIndex);
}
