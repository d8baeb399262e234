namespace CnnNative.Engines.Cpu;

/// <summary>Convolution and its gradients on the CPU.</summary>
internal sealed unsafe class CpuConvolution(CpuThreads threads) : IConvolution
{
    public void Forward(in ConvolutionProblem problem, Tensor x, Tensor w, Tensor? bias, ActivationKind activation, Tensor y)
    {
        using (var xView = NchwView.Read(x))
        using (var wView = NchwView.Read(w))
        using (var bView = NchwView.Read(bias))
        using (var yView = NchwView.Write(y))
        {
            float* px = xView, pw = wView, pb = bView, py = yView;
            var p = problem;
            threads.For((long)p.N * p.K, 1, (first, last) =>
            {
                for (var nk = first; nk < last; nk++)
                {
                    for (var o = 0; o < p.P * p.Q; o++)
                    {
                        var k = (int)(nk % p.K);
                        var sum = pb == null ? 0f : pb[k];
                        foreach (var (xi, wi) in Taps(p, (int)(nk / p.K), k, o)) sum += px[xi] * pw[wi];
                        py[nk * p.P * p.Q + o] = sum;
                    }
                }
            });
        }

        if (activation != ActivationKind.Identity) y.Device.Engine.Activation.Forward(activation, y, y);
    }

    public void BackwardData(in ConvolutionProblem problem, Tensor dy, Tensor w, Tensor dx)
    {
        using var dyView = NchwView.Read(dy);
        using var wView = NchwView.Read(w);
        using var dxView = NchwView.Write(dx);
        float* pdy = dyView, pw = wView, pdx = dxView;
        new Span<float>(pdx, (int)dx.Count).Clear();
        var p = problem;
        threads.For(p.N, 1, (first, last) =>
        {
            for (var nk = first * p.K; nk < last * p.K; nk++)
            {
                for (var o = 0; o < p.P * p.Q; o++)
                {
                    foreach (var (xi, wi) in Taps(p, (int)(nk / p.K), (int)(nk % p.K), o)) pdx[xi] += pdy[nk * p.P * p.Q + o] * pw[wi];
                }
            }
        });
    }

    public void BackwardWeight(in ConvolutionProblem problem, Tensor x, Tensor dy, Tensor dw)
    {
        using var xView = NchwView.Read(x);
        using var dyView = NchwView.Read(dy);
        using var dwView = NchwView.Write(dw);
        float* px = xView, pdy = dyView, pdw = dwView;
        new Span<float>(pdw, (int)dw.Count).Clear();
        var p = problem;
        threads.For(p.K, 1, (first, last) =>
        {
            for (var n = 0; n < p.N; n++)
            {
                for (var k = (int)first; k < last; k++)
                {
                    for (var o = 0; o < p.P * p.Q; o++)
                    {
                        foreach (var (xi, wi) in Taps(p, n, k, o)) pdw[wi] += pdy[((long)n * p.K + k) * p.P * p.Q + o] * px[xi];
                    }
                }
            }
        });
    }

    public void BackwardBias(Tensor dy, Tensor db)
    {
        using var dyView = NchwView.Read(dy);
        using var dbView = NchwView.Write(db);
        int images = dy.Shape[0], filters = dy.Shape[1];
        var pixels = dy.Shape.CountFrom(2);
        for (var k = 0; k < filters; k++)
        {
            var sum = 0f;
            for (var n = 0; n < images; n++)
            {
                for (long i = 0; i < pixels; i++) sum += dyView.Pointer[((long)n * filters + k) * pixels + i];
            }

            dbView.Pointer[k] = sum;
        }
    }

    /// <summary>The elements of x and of w that meet in one output element.</summary>
    private static IEnumerable<(long X, long W)> Taps(ConvolutionProblem p, int n, int k, int output)
    {
        int channels = p.C / p.Groups, group = k / (p.K / p.Groups);
        for (var c = 0; c < channels; c++)
        {
            for (var r = 0; r < p.R; r++)
            {
                for (var s = 0; s < p.S; s++)
                {
                    var h = Source(output / p.Q * p.StrideH - p.PadTop + r * p.DilationH, p.H, p.PaddingMode);
                    var w = Source(output % p.Q * p.StrideW - p.PadLeft + s * p.DilationW, p.W, p.PaddingMode);
                    if (h < 0 || w < 0) continue;
                    yield return ((((long)n * p.C + group * channels + c) * p.H + h) * p.W + w, (((long)k * channels + c) * p.R + r) * p.S + s);
                }
            }
        }
    }

    private static int Source(int index, int size, PaddingMode mode) => index >= 0 && index < size ? index : mode switch
    {
        PaddingMode.Reflect => index < 0 ? -index : 2 * (size - 1) - index,
        PaddingMode.Replicate => index < 0 ? 0 : size - 1,
        PaddingMode.Circular => index < 0 ? index + size : index - size,
        _ => -1,
    };
}
