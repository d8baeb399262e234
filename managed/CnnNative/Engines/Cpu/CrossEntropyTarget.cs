using System.Runtime.CompilerServices;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// What cross-entropy compares the softmax with: for label t, smoothing s, class weights w and C classes the target of class c is
/// (1 - s) w[t] [c = t] + (s / C) w[c], and the loss of a line is minus the sum of target * ln p.
/// </summary>
internal readonly unsafe struct CrossEntropyTarget
{
    private readonly long* labels;
    private readonly long lineCount;
    private readonly float* weights;
    private readonly SoftmaxLines lines;
    private readonly CrossEntropySettings settings;

    /// <summary>s / C, and the sum over c of (s / C) w[c].</summary>
    private readonly double spread, spreadSum;

    public CrossEntropyTarget(long* labels, long lineCount, float* weights, SoftmaxLines lines, in CrossEntropySettings settings)
    {
        this.labels = labels;
        this.weights = weights;
        (this.lineCount, this.lines, this.settings) = (lineCount, lines, settings);
        spread = lines.Size == 0 ? 0 : (double)settings.LabelSmoothing / lines.Size;
        for (long c = 0; c < lines.Size; c++) spreadSum += spread * Weight(c);
    }

    /// <summary>Refuses labels that are neither a class nor ignored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void CheckLabels()
    {
        for (long line = 0; line < lineCount; line++)
        {
            if ((ulong)labels[line] < (ulong)lines.Size || labels[line] == settings.IgnoreIndex) continue;
            throw new ArgumentOutOfRangeException(nameof(labels), labels[line],
                $"CrossEntropy: label {labels[line]} at position {line} is not a class: there are {lines.Size} classes, 0 to {lines.Size - 1}");
        }
    }

    /// <summary>What the sum of losses is divided by: the weights of the labels that count, for the mean.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public double Divisor()
    {
        if (settings.Reduction == Reduction.Sum) return 1;
        double sum = 0;
        for (long line = 0; line < lineCount; line++) sum += labels[line] == settings.IgnoreIndex ? 0 : Weight(labels[line]);
        return sum;
    }

    /// <summary>Number of the line, and so of its label, that starts at an element of the logits.</summary>
    public long LineOf(long start) => start / (lines.Size * lines.Inner) * lines.Inner + start % lines.Inner;

    /// <summary>Loss of one line, with ln p[c] = x[c] - maximum - ln(sum).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public double Loss(long line, float* x, float maximum, float sum)
    {
        var label = labels[line];
        if (label == settings.IgnoreIndex) return 0;
        var shift = maximum + Math.Log(sum);
        var loss = (1.0 - settings.LabelSmoothing) * Weight(label) * (shift - x[label * lines.Inner]);
        if (spread == 0) return loss;
        for (long c = 0; c < lines.Size; c++) loss += spread * Weight(c) * (shift - x[c * lines.Inner]);
        return loss;
    }

    /// <summary>dx = scale * (sum of targets * p - target) for neighbouring lines.</summary>
    public void Gradient(long line, int count, double scale, float* p, float* dx)
    {
        if (lines.Inner == 1)
        {
            RowGradient(labels[line], scale, p, dx);
            return;
        }

        var factors = stackalloc float[SoftmaxLines.Width];
        for (var j = 0; j < count; j++) factors[j] = (float)Factor(labels[line + j], scale);
        for (long c = 0; c < lines.Size; c++) VectorMap.Run(default(MultiplyMap), factors, p + c * lines.Inner, dx + c * lines.Inner, count);
        for (var j = 0; j < count; j++) SubtractTarget(labels[line + j], scale, dx + j);
    }

    private void RowGradient(long label, double scale, float* p, float* dx)
    {
        VectorMap.Run(new ScaleMap((float)Factor(label, scale)), p, dx, lines.Size);
        SubtractTarget(label, scale, dx);
    }

    /// <summary>scale * sum of targets; 0 for an ignored label.</summary>
    private double Factor(long label, double scale) =>
        label == settings.IgnoreIndex ? 0 : scale * ((1.0 - settings.LabelSmoothing) * Weight(label) + spreadSum);

    private void SubtractTarget(long label, double scale, float* dx)
    {
        if (label == settings.IgnoreIndex) return;
        dx[label * lines.Inner] -= (float)(scale * (1.0 - settings.LabelSmoothing) * Weight(label));
        if (spread == 0) return;
        for (long c = 0; c < lines.Size; c++) dx[c * lines.Inner] -= (float)(scale * spread * Weight(c));
    }

    private double Weight(long label) => weights is null ? 1 : weights[label];
}
