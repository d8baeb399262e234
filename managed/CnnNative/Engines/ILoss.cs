namespace CnnNative.Engines;

/// <summary>How a loss over many elements becomes one number.</summary>
public enum Reduction
{
    /// <summary>The (weighted) mean over the elements that count.</summary>
    Mean,

    /// <summary>The sum.</summary>
    Sum,
}

/// <summary>Settings of the cross-entropy loss.</summary>
/// <param name="Reduction">Mean or sum.</param>
/// <param name="LabelSmoothing">Share of the target that is spread evenly over all classes, 0 to 1.</param>
/// <param name="IgnoreIndex">The label that does not count.</param>
public readonly record struct CrossEntropySettings(Reduction Reduction, float LabelSmoothing, long IgnoreIndex);

/// <summary>Losses and their gradients.</summary>
public interface ILoss
{
    /// <summary>
    /// Cross-entropy of logits (N, C, ...) against labels (N, ...), with softmax: for each element
    /// -(1 - s) w[label] log p[label] - (s / C) sum_c w[c] log p[c], with s the label smoothing;
    /// the mean divides by the sum of w[label] over the elements that count (NaN if there are none).
    /// </summary>
    /// <param name="logits">Scores (N, C) or (N, C, ...).</param>
    /// <param name="labels">Classes as Int64 (N) or (N, ...).</param>
    /// <param name="weights">Weight of each class (C), or null for 1.</param>
    /// <param name="settings">Reduction, smoothing, ignored label.</param>
    /// <param name="probabilities">Softmax of the logits, overwritten.</param>
    /// <param name="loss">The loss, a single element, overwritten.</param>
    /// <param name="divisor">What the sum was divided by, for the backward pass: the weights of the elements that count, or 1; a single Float32, overwritten.</param>
    /// <exception cref="ArgumentOutOfRangeException">A label is neither a class nor the ignored one (engines on the host).</exception>
    void CrossEntropyForward(
        Tensor logits, Tensor labels, Tensor? weights, in CrossEntropySettings settings, Tensor probabilities, Tensor loss, Tensor divisor);

    /// <summary>Gradient of the cross-entropy by the logits, times the gradient of the loss.</summary>
    /// <param name="probabilities">What the forward pass stored.</param>
    /// <param name="labels">Classes.</param>
    /// <param name="weights">Weight of each class, or null.</param>
    /// <param name="settings">Reduction, smoothing, ignored label.</param>
    /// <param name="divisor">What the forward pass stored.</param>
    /// <param name="dloss">Gradient by the loss, a single element.</param>
    /// <param name="dlogits">Gradient by the logits, overwritten.</param>
    void CrossEntropyBackward(
        Tensor probabilities, Tensor labels, Tensor? weights, in CrossEntropySettings settings, Tensor divisor, Tensor dloss, Tensor dlogits);

    /// <summary>Counts the rows of scores whose largest element (the first of equals) is at the label: top-1 hits.</summary>
    /// <param name="scores">Scores (N, C).</param>
    /// <param name="labels">Classes as Int64 (N).</param>
    /// <param name="hits">A single Int64 element, overwritten.</param>
    void CountHits(Tensor scores, Tensor labels, Tensor hits);
}
