namespace CnnNative.Engines.Cpu;

/// <summary>Activations in memory order, whatever the layout, and softmax.</summary>
internal sealed unsafe class CpuActivation(CpuThreads threads) : IActivation
{
    public void Forward(ActivationKind kind, Tensor x, Tensor y)
    {
        using var source = x.Pin<float>();
        using var target = y.Pin<float>();
        switch (kind)
        {
            case ActivationKind.Identity: Copy(source, target, x.Count); break;
            case ActivationKind.Relu: VectorMap.Run(threads, default(ReluMap), source, target, x.Count); break;
            case ActivationKind.Relu6: VectorMap.Run(threads, default(Relu6Map), source, target, x.Count); break;
            case ActivationKind.Sigmoid: VectorMap.Run(threads, default(SigmoidMap), source, target, x.Count); break;
            case ActivationKind.Tanh: VectorMap.Run(threads, default(TanhMap), source, target, x.Count); break;
            default: throw Unknown(kind);
        }
    }

    public void Backward(ActivationKind kind, Tensor y, Tensor dy, Tensor dx)
    {
        using var output = y.Pin<float>();
        using var gradient = dy.Pin<float>();
        using var target = dx.Pin<float>();
        switch (kind)
        {
            case ActivationKind.Identity: Copy(gradient, target, y.Count); break;
            case ActivationKind.Relu: VectorMap.Run(threads, default(ReluGradientMap), output, gradient, target, y.Count); break;
            case ActivationKind.Relu6: VectorMap.Run(threads, default(Relu6GradientMap), output, gradient, target, y.Count); break;
            case ActivationKind.Sigmoid: VectorMap.Run(threads, default(SigmoidGradientMap), output, gradient, target, y.Count); break;
            case ActivationKind.Tanh: VectorMap.Run(threads, default(TanhGradientMap), output, gradient, target, y.Count); break;
            default: throw Unknown(kind);
        }
    }

    public void SoftmaxForward(Tensor x, int axis, bool logarithm, Tensor y)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* source = pinnedX, target = pinnedY;
        var lines = SoftmaxLines.Along(x, axis);
        threads.For(lines.Bundles, lines.Grain, (first, last) =>
        {
            for (var bundle = first; bundle < last; bundle++)
            {
                var start = lines.Start(bundle, out var count);
                lines.Forward(source + start, target + start, count, logarithm);
            }
        });
    }

    public void SoftmaxBackward(Tensor y, Tensor dy, int axis, bool logarithm, Tensor dx)
    {
        using var pinnedY = y.Pin<float>();
        using var pinnedDy = dy.Pin<float>();
        using var pinnedDx = dx.Pin<float>();
        float* output = pinnedY, gradient = pinnedDy, target = pinnedDx;
        var lines = SoftmaxLines.Along(y, axis);
        threads.For(lines.Bundles, lines.Grain, (first, last) =>
        {
            for (var bundle = first; bundle < last; bundle++)
            {
                var start = lines.Start(bundle, out var count);
                lines.Backward(output + start, gradient + start, target + start, count, logarithm);
            }
        });
    }

    private static void Copy(float* source, float* target, long count) =>
        Buffer.MemoryCopy(source, target, count * sizeof(float), count * sizeof(float));

    private static ArgumentOutOfRangeException Unknown(ActivationKind kind) => new(nameof(kind), kind, "unknown activation");
}
