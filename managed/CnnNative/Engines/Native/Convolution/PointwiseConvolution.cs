using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// 1x1 convolution with stride 1 and one group: a product of matrices that are there already. NHWC is one product over the
/// pixels of all images, (N * H * W, C) (C, K); NCHW one per image, (K, C) (C, H * W).
/// </summary>
internal sealed class PointwiseConvolution(NativeGemm gemm)
{
    /// <summary>y = clamp(x * w + bias).</summary>
    public void Forward(in ConvolutionProblem p, Placed x, Placed w, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        var pixels = p.H * p.W;
        if (x.Layout == Layout.Nhwc)
            gemm.Multiply(new(p.N * pixels, p.K, p.C, new(x.Pointer, p.C, false), new(w.Pointer, p.C, true)), y.Pointer, new(default, bias), epilogue);
        else
            gemm.Multiply(new(p.K, pixels, p.C, new(w.Pointer, p.C, false), Images(x, p.C, pixels), p.N), y.Pointer, new(bias, default), epilogue);
    }

    /// <summary>dx from dy.</summary>
    public void BackwardData(in ConvolutionProblem p, Placed dy, Placed w, Placed dx)
    {
        var pixels = p.H * p.W;
        if (dy.Layout == Layout.Nhwc)
            gemm.Multiply(new(p.N * pixels, p.C, p.K, new(dy.Pointer, p.K, false), new(w.Pointer, p.C, false)), dx.Pointer, default, Epilogues.None);
        else
            gemm.Multiply(new(p.C, pixels, p.K, new(w.Pointer, p.C, true), Images(dy, p.K, pixels), p.N), dx.Pointer, default, Epilogues.None);
    }

    /// <summary>dw from x and dy: dy^T x over the pixels of all images, or the sum of dy x^T over images.</summary>
    public void BackwardWeight(in ConvolutionProblem p, Placed x, Placed dy, Placed dw)
    {
        var pixels = p.H * p.W;
        if (x.Layout == Layout.Nhwc)
            gemm.Sum(new(p.K, p.C, p.N * pixels, new(dy.Pointer, p.K, true), new(x.Pointer, p.C, false)), dw.Pointer, gemm.Type);
        else
            gemm.Sum(new(p.K, p.C, pixels, Images(dy, p.K, pixels), Images(x, p.C, pixels) with { Transposed = true }, p.N), dw.Pointer, gemm.Type);
    }

    private static GemmOperand Images(Placed images, int channels, int pixels) =>
        new(images.Pointer, pixels, false, (long)channels * pixels);
}
