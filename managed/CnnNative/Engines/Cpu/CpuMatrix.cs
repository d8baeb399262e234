using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Matrix products: cut into blocks of c (<see cref="GemmSplit"/>), each computed by one thread (<see cref="GemmBlock"/>).
/// No sum is split between threads, so that results are the same bits for any number of them.
/// </summary>
internal sealed unsafe class CpuMatrix(CpuThreads threads, CpuScratch scratch) : IMatrix
{
    /// <summary>Panels of columns from which on packing a pays: it is read once for each.</summary>
    private const int FewColumnPanels = 3;

    /// <summary>Panels of rows up to which b is read where it is.</summary>
    private const int FewRowPanels = 4;

    public void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c)
    {
        using var pa = a.Pin<float>();
        using var pb = b.Pin<float>();
        using var pc = c.Pin<float>();
        int m = c.Shape[0], n = c.Shape[1], k = a.Shape[transposeA ? 0 : 1];
        var left = transposeA ? GemmRows.Strided(pa, 1, m) : GemmRows.Strided(pa, k, 1);
        Multiply(m, n, k, left, Columns(pb, m, n, k, transposeB), pc, default);
    }

    public void LinearForward(Tensor x, Tensor w, Tensor? bias, ActivationKind activation, Tensor y)
    {
        using (var px = x.Pin<float>())
        using (var pw = w.Pin<float>())
        using (var pb = NchwView.Read(bias))
        using (var py = y.Pin<float>())
        {
            int m = y.Shape[0], n = y.Shape[1], k = x.Shape[1];
            var epilogue = new Epilogue(null, pb, Epilogue.Fused(activation));
            Multiply(m, n, k, GemmRows.Strided(px, k, 1), Columns(pw, m, n, k, transposed: true), py, epilogue);
        }

        if (!Epilogue.CanFuse(activation)) y.Device.Engine.Activation.Forward(activation, y, y);
    }

    public void SumRows(Tensor dy, Tensor db)
    {
        using var source = dy.Pin<float>();
        using var target = db.Pin<float>();
        int rows = dy.Shape[0], columns = dy.Shape[1];
        float* from = source, to = target;
        threads.For(columns, Math.Max(Vector512<float>.Count, 65536 / Math.Max(1, rows)), (first, last) =>
        {
            var j = first;
            for (; j <= last - Vector512<float>.Count; j += Vector512<float>.Count)
            {
                var sum = Vector512<float>.Zero;
                for (var i = 0; i < rows; i++) sum += Vector512.Load(from + (long)i * columns + j);
                sum.Store(to + j);
            }

            for (; j < last; j++)
            {
                var sum = 0f;
                for (var i = 0; i < rows; i++) sum += from[(long)i * columns + j];
                to[j] = sum;
            }
        });
    }

    private static MatrixColumns Columns(float* b, int m, int n, int k, bool transposed) =>
        transposed ? new(b, 1, k, inPlace: false) : new(b, n, 1, inPlace: GemmRows.Panels(m) <= FewRowPanels);

    private void Multiply(int m, int n, int k, GemmRows a, MatrixColumns b, float* c, Epilogue epilogue)
    {
        if (m == 0 || n == 0) return;
        var packs = n > FewColumnPanels * GemmKernels.Columns;
        using var lease = packs ? scratch.Rent(GemmRows.PackedLength(m, k)) : default;
        if (packs) a = a.PackAll(m, k, lease, threads);
        var split = GemmSplit.Choose(m, n, k, products: 1, threads.Count);
        threads.Run(split.Blocks, block => GemmBlock.Multiply(a, b, k, split.Area(block), c, n, epilogue, scratch));
    }
}
