namespace CnnNative.Engines.Cpu;

/// <summary>Activations and softmax.</summary>
internal sealed unsafe class CpuActivation(CpuThreads threads) : IActivation
{
    private const long Grain = 1 << 14;

    public void Forward(ActivationKind kind, Tensor x, Tensor y)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* source = pinnedX, target = pinnedY;
        threads.For(x.Count, Grain, (first, last) =>
        {
            for (var i = first; i < last; i++) target[i] = Value(kind, source[i]);
        });
    }

    public void Backward(ActivationKind kind, Tensor y, Tensor dy, Tensor dx)
    {
        using var pinnedY = y.Pin<float>();
        using var pinnedDy = dy.Pin<float>();
        using var pinnedDx = dx.Pin<float>();
        float* output = pinnedY, gradient = pinnedDy, target = pinnedDx;
        threads.For(y.Count, Grain, (first, last) =>
        {
            for (var i = first; i < last; i++) target[i] = Slope(kind, output[i], gradient[i]);
        });
    }

    public void SoftmaxForward(Tensor x, int axis, bool logarithm, Tensor y)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* source = pinnedX, target = pinnedY;
        var (size, inner) = Lines(x, axis);
        threads.For(size == 0 ? 0 : x.Count / size, 1 + Grain / Math.Max(size, 1), (first, last) =>
        {
            for (var line = first; line < last; line++)
            {
                var start = line / inner * size * inner + line % inner;
                float* from = source + start, to = target + start;
                var largest = float.NegativeInfinity;
                for (long i = 0; i < size; i++) largest = MathF.Max(largest, from[i * inner]);
                var sum = 0f;
                for (long i = 0; i < size; i++) sum += MathF.Exp(from[i * inner] - largest);
                for (long i = 0; i < size; i++)
                {
                    var shifted = from[i * inner] - largest;
                    to[i * inner] = logarithm ? shifted - MathF.Log(sum) : MathF.Exp(shifted) / sum;
                }
            }
        });
    }

    public void SoftmaxBackward(Tensor y, Tensor dy, int axis, bool logarithm, Tensor dx)
    {
        using var pinnedY = y.Pin<float>();
        using var pinnedDy = dy.Pin<float>();
        using var pinnedDx = dx.Pin<float>();
        float* outputs = pinnedY, gradients = pinnedDy, targets = pinnedDx;
        var (size, inner) = Lines(y, axis);
        threads.For(size == 0 ? 0 : y.Count / size, 1 + Grain / Math.Max(size, 1), (first, last) =>
        {
            for (var line = first; line < last; line++)
            {
                var start = line / inner * size * inner + line % inner;
                float* output = outputs + start, gradient = gradients + start, target = targets + start;
                var sum = 0f;
                for (long i = 0; i < size; i++) sum += logarithm ? gradient[i * inner] : gradient[i * inner] * output[i * inner];
                for (long i = 0; i < size; i++)
                {
                    var value = output[i * inner];
                    target[i * inner] = logarithm ? gradient[i * inner] - MathF.Exp(value) * sum : value * (gradient[i * inner] - sum);
                }
            }
        });
    }

    /// <summary>Size of the axis and distance in memory of its neighbours.</summary>
    private static (long Size, long Inner) Lines(Tensor x, int axis)
    {
        var shape = x.Shape;
        if (x.Layout == Layout.Nchw) return (shape[axis], shape.CountFrom(axis + 1));
        return axis switch
        {
            0 => (shape[0], shape.CountFrom(1)),
            1 => (shape[1], 1),
            2 => (shape[2], (long)shape[3] * shape[1]),
            _ => (shape[3], shape[1]),
        };
    }

    private static float Value(ActivationKind kind, float x) => kind switch
    {
        ActivationKind.Identity => x,
        ActivationKind.Relu => x < 0f ? 0f : x,
        ActivationKind.Relu6 => x < 0f ? 0f : x > 6f ? 6f : x,
        ActivationKind.Sigmoid => 1f / (1f + MathF.Exp(-x)),
        ActivationKind.Tanh => MathF.Tanh(x),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "unknown activation"),
    };

    private static float Slope(ActivationKind kind, float y, float dy) => kind switch
    {
        ActivationKind.Identity => dy,
        ActivationKind.Relu => y <= 0f ? 0f : dy,
        ActivationKind.Relu6 => y <= 0f || y >= 6f ? 0f : dy,
        ActivationKind.Sigmoid => dy * (y * (1f - y)),
        ActivationKind.Tanh => dy * (1f - y * y),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "unknown activation"),
    };
}
