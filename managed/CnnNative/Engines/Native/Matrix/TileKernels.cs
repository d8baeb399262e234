namespace CnnNative.Engines.Native;

/// <summary>The kernel for a tile: the one place where names of kernels and tiles meet.</summary>
internal static class TileKernels
{
    private static readonly Kernel[] Nn = [Kernel.SgemmNn128x128, Kernel.SgemmNn64x64, Kernel.SgemmNn32x128, Kernel.SgemmNn32x32];
    private static readonly Kernel[] Nt = [Kernel.SgemmNt128x128, Kernel.SgemmNt64x64, Kernel.SgemmNt32x128, Kernel.SgemmNt32x32];
    private static readonly Kernel[] Tn = [Kernel.SgemmTn128x128, Kernel.SgemmTn64x64, Kernel.SgemmTn32x128, Kernel.SgemmTn32x32];
    private static readonly Kernel[] Tt = [Kernel.SgemmTt128x128, Kernel.SgemmTt64x64, Kernel.SgemmTt32x128, Kernel.SgemmTt32x32];

    private static readonly Kernel[] ForwardFirst =
        [Kernel.ConvForwardNchw128x128, Kernel.ConvForwardNchw64x64, Kernel.ConvForwardNchw32x128, Kernel.ConvForwardNchw32x32];

    private static readonly Kernel[] ForwardTaps =
        [Kernel.ConvForwardTaps128x128, Kernel.ConvForwardTaps64x64, Kernel.ConvForwardTaps32x128, Kernel.ConvForwardTaps32x32];

    private static readonly Kernel[] ForwardLast =
        [Kernel.ConvForwardNhwc128x128, Kernel.ConvForwardNhwc64x64, Kernel.ConvForwardNhwc32x128, Kernel.ConvForwardNhwc32x32];

    private static readonly Kernel[] WgradFirst =
        [Kernel.ConvWgradNchw128x128, Kernel.ConvWgradNchw64x64, Kernel.ConvWgradNchw32x128, Kernel.ConvWgradNchw32x32];

    private static readonly Kernel[] WgradLast =
        [Kernel.ConvWgradNhwc128x128, Kernel.ConvWgradNhwc64x64, Kernel.ConvWgradNhwc32x128, Kernel.ConvWgradNhwc32x32];

    /// <summary>C = op(A) op(B) on FMA units.</summary>
    public static Kernel Sgemm(bool transposeA, bool transposeB, TileShape tile) =>
        (transposeA ? transposeB ? Tt : Tn : transposeB ? Nt : Nn)[(int)tile];

    /// <summary>Convolution of images in a layout, by filters in one.</summary>
    public static Kernel ConvForward(Layout images, Layout filters, TileShape tile) =>
        (images == Layout.Nhwc ? ForwardLast : filters == Layout.Nhwc ? ForwardTaps : ForwardFirst)[(int)tile];

    /// <summary>Gradient by the filters, the images read in a layout.</summary>
    public static Kernel ConvWgrad(Layout layout, TileShape tile) => (layout == Layout.Nhwc ? WgradLast : WgradFirst)[(int)tile];

    /// <summary>C = op(A) op(B) on matrix units.</summary>
    public static Kernel MmaGemm(DType type, bool transposeA, bool transposeB, TileShape tile) => (transposeA, transposeB, tile) switch
    {
        (false, false, TileShape.Mma128x128) => Kernels.OfType(type, Kernel.MmaGemmNn128x128F32, Kernel.MmaGemmNn128x128Bf16, Kernel.MmaGemmNn128x128F16),
        (false, true, TileShape.Mma128x128) => Kernels.OfType(type, Kernel.MmaGemmNt128x128F32, Kernel.MmaGemmNt128x128Bf16, Kernel.MmaGemmNt128x128F16),
        (true, false, TileShape.Mma128x128) => Kernels.OfType(type, Kernel.MmaGemmTn128x128F32, Kernel.MmaGemmTn128x128Bf16, Kernel.MmaGemmTn128x128F16),
        (true, true, TileShape.Mma128x128) => Kernels.OfType(type, Kernel.MmaGemmTt128x128F32, Kernel.MmaGemmTt128x128Bf16, Kernel.MmaGemmTt128x128F16),
        (false, false, _) => Kernels.OfType(type, Kernel.MmaGemmNn64x64F32, Kernel.MmaGemmNn64x64Bf16, Kernel.MmaGemmNn64x64F16),
        (false, true, _) => Kernels.OfType(type, Kernel.MmaGemmNt64x64F32, Kernel.MmaGemmNt64x64Bf16, Kernel.MmaGemmNt64x64F16),
        (true, false, _) => Kernels.OfType(type, Kernel.MmaGemmTn64x64F32, Kernel.MmaGemmTn64x64Bf16, Kernel.MmaGemmTn64x64F16),
        (true, true, _) => Kernels.OfType(type, Kernel.MmaGemmTt64x64F32, Kernel.MmaGemmTt64x64Bf16, Kernel.MmaGemmTt64x64F16),
    };

    /// <summary>C = op(A) op(B) on the matrix units of compute capability 9.0; not both transposed.</summary>
    public static Kernel WgmmaGemm(DType type, bool transposeA, bool transposeB, TileShape tile) => (transposeA, transposeB, tile) switch
    {
        (false, false, TileShape.Wgmma128x256) => Half(type, Kernel.WgmmaGemmNn128x256Bf16, Kernel.WgmmaGemmNn128x256F16),
        (false, false, TileShape.Wgmma128x128) => Half(type, Kernel.WgmmaGemmNn128x128Bf16, Kernel.WgmmaGemmNn128x128F16),
        (false, false, _) => Half(type, Kernel.WgmmaGemmNn128x64Bf16, Kernel.WgmmaGemmNn128x64F16),
        (false, true, TileShape.Wgmma128x256) => Half(type, Kernel.WgmmaGemmNt128x256Bf16, Kernel.WgmmaGemmNt128x256F16),
        (false, true, TileShape.Wgmma128x128) => Half(type, Kernel.WgmmaGemmNt128x128Bf16, Kernel.WgmmaGemmNt128x128F16),
        (false, true, _) => Half(type, Kernel.WgmmaGemmNt128x64Bf16, Kernel.WgmmaGemmNt128x64F16),
        (_, _, TileShape.Wgmma128x256) => Half(type, Kernel.WgmmaGemmTn128x256Bf16, Kernel.WgmmaGemmTn128x256F16),
        (_, _, TileShape.Wgmma128x128) => Half(type, Kernel.WgmmaGemmTn128x128Bf16, Kernel.WgmmaGemmTn128x128F16),
        _ => Half(type, Kernel.WgmmaGemmTn128x64Bf16, Kernel.WgmmaGemmTn128x64F16),
    };

    /// <summary>Convolution on the matrix units of compute capability 9.0.</summary>
    public static Kernel WgmmaConvForward(DType type, TileShape tile) => tile switch
    {
        TileShape.Wgmma128x256 => Half(type, Kernel.WgmmaConvForward128x256Bf16, Kernel.WgmmaConvForward128x256F16),
        TileShape.Wgmma128x128 => Half(type, Kernel.WgmmaConvForward128x128Bf16, Kernel.WgmmaConvForward128x128F16),
        _ => Half(type, Kernel.WgmmaConvForward128x64Bf16, Kernel.WgmmaConvForward128x64F16),
    };

    /// <summary>Gradient by the filters on the matrix units of compute capability 9.0.</summary>
    public static Kernel WgmmaConvWgrad(DType type, TileShape tile) => tile switch
    {
        TileShape.Wgmma128x256 => Half(type, Kernel.WgmmaConvWgrad128x256Bf16, Kernel.WgmmaConvWgrad128x256F16),
        TileShape.Wgmma128x128 => Half(type, Kernel.WgmmaConvWgrad128x128Bf16, Kernel.WgmmaConvWgrad128x128F16),
        _ => Half(type, Kernel.WgmmaConvWgrad128x64Bf16, Kernel.WgmmaConvWgrad128x64F16),
    };

    /// <summary>Convolution on matrix units, operands copied in units of 16 bytes or collected by elements.</summary>
    public static Kernel MmaConvForward(DType type, bool units, TileShape tile) => (units, tile) switch
    {
        (true, TileShape.Mma128x128) => Kernels.OfType(type, Kernel.MmaConvForward128x128F32, Kernel.MmaConvForward128x128Bf16, Kernel.MmaConvForward128x128F16),
        (true, _) => Kernels.OfType(type, Kernel.MmaConvForward64x64F32, Kernel.MmaConvForward64x64Bf16, Kernel.MmaConvForward64x64F16),
        (false, TileShape.Mma128x128) => Kernels.OfType(
            type, Kernel.MmaConvForwardCollect128x128F32, Kernel.MmaConvForwardCollect128x128Bf16, Kernel.MmaConvForwardCollect128x128F16),
        (false, _) => Kernels.OfType(type, Kernel.MmaConvForwardCollect64x64F32, Kernel.MmaConvForwardCollect64x64Bf16, Kernel.MmaConvForwardCollect64x64F16),
    };

    /// <summary>Gradient by the filters on matrix units, operands copied in units of 16 bytes or collected by elements.</summary>
    public static Kernel MmaConvWgrad(DType type, bool units, TileShape tile) => (units, tile) switch
    {
        (true, TileShape.Mma128x128) => Kernels.OfType(type, Kernel.MmaConvWgrad128x128F32, Kernel.MmaConvWgrad128x128Bf16, Kernel.MmaConvWgrad128x128F16),
        (true, _) => Kernels.OfType(type, Kernel.MmaConvWgrad64x64F32, Kernel.MmaConvWgrad64x64Bf16, Kernel.MmaConvWgrad64x64F16),
        (false, TileShape.Mma128x128) => Kernels.OfType(
            type, Kernel.MmaConvWgradCollect128x128F32, Kernel.MmaConvWgradCollect128x128Bf16, Kernel.MmaConvWgradCollect128x128F16),
        (false, _) => Kernels.OfType(type, Kernel.MmaConvWgradCollect64x64F32, Kernel.MmaConvWgradCollect64x64Bf16, Kernel.MmaConvWgradCollect64x64F16),
    };

    private static Kernel Half(DType type, Kernel bfloat16, Kernel float16) => type == DType.BFloat16 ? bfloat16 : float16;
}
