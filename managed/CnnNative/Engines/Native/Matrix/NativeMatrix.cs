namespace CnnNative.Engines.Native;

/// <summary>Matrix products: fp32 on FMA units, or rounded to tf32 where the device is told so; halves on matrix units.</summary>
internal sealed class NativeMatrix(NativeContext context) : IMatrix
{
    private readonly PerType<NativeGemm> products = new(type => NativeGemm.For(context, type));
    private readonly MmaGemm tf32 = new(context, DType.Float32);

    public void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c)
    {
        Require.DType(nameof(Multiply), nameof(b), b, a.DType);
        Require.DType(nameof(Multiply), nameof(c), c, a.DType);
        using var aView = a.OnDevice();
        using var bView = b.OnDevice();
        using var cView = c.OnDevice();
        var product = new GemmProduct(
            c.Shape[0], c.Shape[1], a.Shape[transposeA ? 0 : 1], new(aView, a.Shape[1], transposeA), new(bView, b.Shape[1], transposeB));
        Gemm(product, a.DType, nameof(Multiply)).Multiply(product, cView, default, Epilogues.None);
    }

    public void LinearForward(Tensor x, Tensor w, Tensor? bias, ActivationKind activation, Tensor y)
    {
        Require.DType(nameof(LinearForward), nameof(w), w, x.DType);
        Require.DType(nameof(LinearForward), nameof(y), y, x.DType);
        using (var xView = x.OnDevice())
        using (var wView = w.OnDevice())
        using (var biasView = bias.OnDevice())
        using (var yView = y.OnDevice())
        {
            var depth = x.Shape[1];
            var product = new GemmProduct(y.Shape[0], y.Shape[1], depth, new(xView, depth, false), new(wView, depth, true));
            Gemm(product, x.DType, nameof(LinearForward)).Multiply(product, yView, new(default, biasView), Epilogues.For(activation));
        }

        if (!Epilogues.CanFuse(activation)) y.Device.Engine.Activation.Forward(activation, y, y);
    }

    public void SumRows(Tensor dy, Tensor db) => ChannelSums.Run(context, dy, db);

    private NativeGemm Gemm(in GemmProduct product, DType type, string operation) =>
        type == DType.Float32 && context.AllowTf32 && MmaGemm.ReadsUnits(product, type) ? tf32 : products.For(type, operation);
}
