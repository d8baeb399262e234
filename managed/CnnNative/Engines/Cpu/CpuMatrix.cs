namespace CnnNative.Engines.Cpu;

/// <summary>Matrix products on the CPU.</summary>
internal sealed unsafe class CpuMatrix(CpuThreads threads) : IMatrix
{
    public void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c)
    {
        using var pa = a.Pin<float>();
        using var pb = b.Pin<float>();
        using var pc = c.Pin<float>();
        int m = c.Shape[0], n = c.Shape[1], k = a.Shape[transposeA ? 0 : 1];
        Gemm(m, n, k, pa, transposeA, pb, transposeB, null, pc);
    }

    public void LinearForward(Tensor x, Tensor w, Tensor? bias, ActivationKind activation, Tensor y)
    {
        using var px = x.Pin<float>();
        using var pw = w.Pin<float>();
        using var pb = NchwView.Read(bias);
        using var py = y.Pin<float>();
        Gemm(y.Shape[0], y.Shape[1], x.Shape[1], px, false, pw, true, pb, py);
        if (activation != ActivationKind.Identity) y.Device.Engine.Activation.Forward(activation, y, y);
    }

    public void SumRows(Tensor dy, Tensor db)
    {
        using var source = dy.Pin<float>();
        using var target = db.Pin<float>();
        int rows = dy.Shape[0], columns = dy.Shape[1];
        new Span<float>(target, columns).Clear();
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++) target.Pointer[j] += source.Pointer[(long)i * columns + j];
        }
    }

    private void Gemm(int m, int n, int k, float* a, bool transposeA, float* b, bool transposeB, float* bias, float* c)
    {
        threads.For(m, 1, (first, last) =>
        {
            for (var i = first; i < last; i++)
            {
                for (var j = 0; j < n; j++)
                {
                    var sum = bias == null ? 0f : bias[j];
                    for (var l = 0; l < k; l++) sum += (transposeA ? a[(long)l * m + i] : a[i * k + l]) * (transposeB ? b[(long)j * k + l] : b[(long)l * n + j]);
                    c[i * n + j] = sum;
                }
            }
        });
    }
}
