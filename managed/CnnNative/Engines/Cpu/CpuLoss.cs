namespace CnnNative.Engines.Cpu;

/// <summary>Cross-entropy fused with softmax, and top-1 hits.</summary>
internal sealed unsafe class CpuLoss(CpuThreads threads) : ILoss
{
    public void CrossEntropyForward(
        Tensor logits, Tensor labels, Tensor? weights, in CrossEntropySettings settings, Tensor probabilities, Tensor loss, Tensor divisor)
    {
        using var pinnedLogits = logits.Pin<float>();
        using var pinnedLabels = labels.Pin<long>();
        using var pinnedWeights = weights is null ? default : weights.Pin<float>();
        using var pinnedProbabilities = probabilities.Pin<float>();
        using var pinnedLoss = loss.Pin<float>();
        using var pinnedDivisor = divisor.Pin<float>();
        float* x = pinnedLogits, p = pinnedProbabilities;
        var lines = SoftmaxLines.Along(logits, axis: 1);
        var target = new CrossEntropyTarget(pinnedLabels, labels.Count, pinnedWeights, lines, settings);
        target.CheckLabels();

        // One partial sum per bundle, added up in order, so that the loss does not depend on the number of threads.
        var partial = new double[lines.Bundles];
        threads.For(lines.Bundles, lines.Grain, (first, last) =>
        {
            float* maxima = stackalloc float[SoftmaxLines.Width], sums = stackalloc float[SoftmaxLines.Width];
            for (var bundle = first; bundle < last; bundle++)
            {
                var start = lines.Start(bundle, out var count);
                lines.Probabilities(x + start, p + start, count, maxima, sums);
                for (var line = 0; line < count; line++)
                    partial[bundle] += target.Loss(target.LineOf(start) + line, x + start + line, maxima[line], sums[line]);
            }
        });
        var sum = 0.0;
        foreach (var part in partial) sum += part;
        var divided = target.Divisor();
        (*pinnedLoss.Pointer, *pinnedDivisor.Pointer) = ((float)(sum / divided), (float)divided);
    }

    public void CrossEntropyBackward(
        Tensor probabilities, Tensor labels, Tensor? weights, in CrossEntropySettings settings, Tensor divisor, Tensor dloss, Tensor dlogits)
    {
        using var pinnedLabels = labels.Pin<long>();
        using var pinnedWeights = weights is null ? default : weights.Pin<float>();
        using var pinnedProbabilities = probabilities.Pin<float>();
        using var pinnedDivisor = divisor.Pin<float>();
        using var pinnedDloss = dloss.Pin<float>();
        using var pinnedDlogits = dlogits.Pin<float>();
        float* p = pinnedProbabilities, dx = pinnedDlogits;
        var lines = SoftmaxLines.Along(probabilities, axis: 1);
        var target = new CrossEntropyTarget(pinnedLabels, labels.Count, pinnedWeights, lines, settings);
        target.CheckLabels();
        var scale = *pinnedDloss.Pointer / (double)*pinnedDivisor.Pointer;
        threads.For(lines.Bundles, lines.Grain, (first, last) =>
        {
            for (var bundle = first; bundle < last; bundle++)
            {
                var start = lines.Start(bundle, out var count);
                target.Gradient(target.LineOf(start), count, scale, p + start, dx + start);
            }
        });
    }

    public void CountHits(Tensor scores, Tensor labels, Tensor hits)
    {
        using var pinnedScores = scores.Pin<float>();
        using var pinnedLabels = labels.Pin<long>();
        using var pinnedHits = hits.Pin<long>();
        var classes = scores.Shape[1];
        long count = 0;
        for (long n = 0; n < labels.Count; n++)
        {
            if (Largest(pinnedScores.Pointer + n * classes, classes) == pinnedLabels.Pointer[n]) count++;
        }

        *pinnedHits.Pointer = count;
    }

    /// <summary>Place of the largest score, the first of equals; a NaN counts as larger than any number, as PyTorch's argmax has it. -1 without scores.</summary>
    private static long Largest(float* scores, long classes)
    {
        long best = classes == 0 ? -1 : 0;
        for (long c = 1; c < classes; c++)
        {
            if (!(scores[c] <= scores[best]) && !float.IsNaN(scores[best])) best = c;
        }

        return best;
    }
}
