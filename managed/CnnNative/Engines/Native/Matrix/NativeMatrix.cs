namespace CnnNative.Engines.Native;

/// <summary>Matrix products, on FMA units: fp32 stays fp32.</summary>
internal sealed class NativeMatrix(NativeContext context) : IMatrix
{
    private readonly NativeGemm gemm = new(context);

    public void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c)
    {
        Require.DType(nameof(Multiply), nameof(a), a, DType.Float32);
        using var aView = a.OnDevice();
        using var bView = b.OnDevice();
        using var cView = c.OnDevice();
        gemm.Multiply(
            c.Shape[0], c.Shape[1], a.Shape[transposeA ? 0 : 1], new(aView, a.Shape[1], transposeA), new(bView, b.Shape[1], transposeB), cView, default,
            Epilogues.None);
    }

    public void LinearForward(Tensor x, Tensor w, Tensor? bias, ActivationKind activation, Tensor y)
    {
        Require.DType(nameof(LinearForward), nameof(x), x, DType.Float32);
        using (var xView = x.OnDevice())
        using (var wView = w.OnDevice())
        using (var biasView = bias.OnDevice())
        using (var yView = y.OnDevice())
        {
            var depth = x.Shape[1];
            gemm.Multiply(
                y.Shape[0], y.Shape[1], depth, new(xView, depth, false), new(wView, depth, true), yView, new(default, biasView), Epilogues.For(activation));
        }

        if (!Epilogues.CanFuse(activation)) y.Device.Engine.Activation.Forward(activation, y, y);
    }

    public void SumRows(Tensor dy, Tensor db) => ChannelSums.Run(context, dy, db);
}
