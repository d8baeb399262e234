namespace CnnNative.Engines.Cpu;

/// <summary>Cross-entropy with softmax, and top-1 hits.</summary>
internal sealed unsafe class CpuLoss(CpuThreads threads) : ILoss
{
    public void CrossEntropyForward(Tensor logits, Tensor labels, Tensor? weights, in CrossEntropySettings settings, Tensor probabilities, Tensor loss)
    {
        using var pinnedLogits = logits.Pin<float>();
        using var pinnedLabels = labels.Pin<long>();
        using var pinnedWeights = weights is null ? default : weights.Pin<float>();
        using var pinnedProbabilities = probabilities.Pin<float>();
        using var pinnedLoss = loss.Pin<float>();
        float* x = pinnedLogits, p = pinnedProbabilities, w = pinnedWeights;
        long* label = pinnedLabels;
        var (classes, inner) = Lines(logits);
        var smoothing = settings.LabelSmoothing;
        double sum = 0, weight = 0;
        for (long line = 0; line < labels.Count; line++)
        {
            var start = line / inner * classes * inner + line % inner;
            float* from = x + start, to = p + start;
            var largest = float.NegativeInfinity;
            for (long c = 0; c < classes; c++) largest = MathF.Max(largest, from[c * inner]);
            double total = 0;
            for (long c = 0; c < classes; c++) total += Math.Exp(from[c * inner] - largest);
            for (long c = 0; c < classes; c++) to[c * inner] = (float)(Math.Exp(from[c * inner] - largest) / total);
            if (label[line] == settings.IgnoreIndex) continue;
            if ((ulong)label[line] >= (ulong)classes)
            {
                throw new ArgumentOutOfRangeException(nameof(labels), label[line],
                    $"CrossEntropy: label {label[line]} at position {line} is not a class; there are {classes} classes");
            }

            var scale = w is null ? 1.0 : w[label[line]];
            weight += scale;
            sum -= (1 - smoothing) * scale * (from[label[line] * inner] - largest - Math.Log(total));
            if (smoothing == 0f) continue;
            for (long c = 0; c < classes; c++)
                sum -= smoothing / (double)classes * (w is null ? 1.0 : w[c]) * (from[c * inner] - largest - Math.Log(total));
        }

        *pinnedLoss.Pointer = (float)(settings.Reduction == Reduction.Mean ? sum / weight : sum);
    }

    public void CrossEntropyBackward(
        Tensor probabilities, Tensor labels, Tensor? weights, in CrossEntropySettings settings, Tensor dloss, Tensor dlogits)
    {
        using var pinnedLabels = labels.Pin<long>();
        using var pinnedWeights = weights is null ? default : weights.Pin<float>();
        using var pinnedProbabilities = probabilities.Pin<float>();
        using var pinnedDloss = dloss.Pin<float>();
        using var pinnedDx = dlogits.Pin<float>();
        float* p = pinnedProbabilities, dx = pinnedDx, w = pinnedWeights;
        long* label = pinnedLabels;
        var (classes, inner) = Lines(probabilities);
        var smoothing = settings.LabelSmoothing;
        double weight = 0, allWeights = 0;
        for (long line = 0; line < labels.Count; line++)
            weight += label[line] == settings.IgnoreIndex ? 0 : w is null ? 1 : w[label[line]];
        for (long c = 0; c < classes; c++) allWeights += w is null ? 1 : w[c];
        var ignore = settings.IgnoreIndex;
        var scale = settings.Reduction == Reduction.Mean ? *pinnedDloss.Pointer / weight : *pinnedDloss.Pointer;
        threads.For(labels.Count, 1 + (1 << 14) / Math.Max(classes, 1), (first, last) =>
        {
            for (var line = first; line < last; line++)
            {
                var start = line / inner * classes * inner + line % inner;
                var hit = label[line];
                for (long c = 0; c < classes; c++)
                {
                    var at = start + c * inner;
                    if (hit == ignore)
                    {
                        dx[at] = 0f;
                        continue;
                    }

                    var hitWeight = (1 - smoothing) * (w is null ? 1.0 : w[hit]);
                    var spread = smoothing / (double)classes;
                    var target = (c == hit ? hitWeight : 0) + spread * (w is null ? 1 : w[c]);
                    dx[at] = (float)(scale * ((hitWeight + spread * allWeights) * p[at] - target));
                }
            }
        });
    }

    public void CountHits(Tensor scores, Tensor labels, Tensor hits)
    {
        using var pinnedScores = scores.Pin<float>();
        using var pinnedLabels = labels.Pin<long>();
        using var pinnedHits = hits.Pin<long>();
        float* score = pinnedScores;
        long* label = pinnedLabels;
        long classes = scores.Shape[1], count = 0;
        for (long n = 0; n < labels.Count; n++)
        {
            long best = 0;
            for (long c = 1; c < classes; c++) best = score[n * classes + c] > score[n * classes + best] ? c : best;
            if (best == label[n]) count++;
        }

        *pinnedHits.Pointer = count;
    }

    private static (long Classes, long Inner) Lines(Tensor logits) =>
        (logits.Shape[1], logits.Layout == Layout.Nhwc ? 1 : logits.Shape.CountFrom(2));
}
