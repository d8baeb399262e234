using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Matrix products: fp32 on FMA units, or rounded to tf32 where the device is told so; halves on matrix units.</summary>
internal sealed class NativeMatrix(NativeContext context) : IMatrix
{
    private readonly NativeGemm fma = new(context);
    private readonly MmaGemm tf32 = new(context, DType.Float32);
    private readonly MmaGemm bfloat16 = new(context, DType.BFloat16);
    private readonly MmaGemm float16 = new(context, DType.Float16);

    public void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c)
    {
        Require.DType(nameof(Multiply), nameof(b), b, a.DType);
        Require.DType(nameof(Multiply), nameof(c), c, a.DType);
        using var aView = a.OnDevice();
        using var bView = b.OnDevice();
        using var cView = c.OnDevice();
        Multiply(
            nameof(Multiply), a.DType, c.Shape[0], c.Shape[1], a.Shape[transposeA ? 0 : 1], new(aView, a.Shape[1], transposeA), new(bView, b.Shape[1], transposeB),
            default, cView, Epilogues.None);
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
            Multiply(
                nameof(LinearForward), x.DType, y.Shape[0], y.Shape[1], depth, new(xView, depth, false), new(wView, depth, true), biasView, yView,
                Epilogues.For(activation));
        }

        if (!Epilogues.CanFuse(activation)) y.Device.Engine.Activation.Forward(activation, y, y);
    }

    public void SumRows(Tensor dy, Tensor db) => ChannelSums.Run(context, dy, db);

    private void Multiply(
        string operation, DType type, int m, int n, int k, in GemmOperand a, in GemmOperand b, DevicePointer columnBias, DevicePointer c, Epilogue epilogue)
    {
        switch (type)
        {
            case DType.Float32 when context.AllowTf32 && MmaGemm.ReadsUnits(a, b, type): tf32.Multiply(m, n, k, a, b, columnBias, c, epilogue); break;
            case DType.Float32: fma.Multiply(m, n, k, a, b, c, new(default, columnBias), epilogue); break;
            case DType.BFloat16: bfloat16.Multiply(m, n, k, a, b, columnBias, c, epilogue); break;
            case DType.Float16: float16.Multiply(m, n, k, a, b, columnBias, c, epilogue); break;
            default: throw new EngineNotSupportedException("Native", operation, $"data type {type}");
        }
    }
}
