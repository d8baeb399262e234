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

    private static readonly Kernel[] ForwardLast =
        [Kernel.ConvForwardNhwc128x128, Kernel.ConvForwardNhwc64x64, Kernel.ConvForwardNhwc32x128, Kernel.ConvForwardNhwc32x32];

    private static readonly Kernel[] WgradFirst =
        [Kernel.ConvWgradNchw128x128, Kernel.ConvWgradNchw64x64, Kernel.ConvWgradNchw32x128, Kernel.ConvWgradNchw32x32];

    private static readonly Kernel[] WgradLast =
        [Kernel.ConvWgradNhwc128x128, Kernel.ConvWgradNhwc64x64, Kernel.ConvWgradNhwc32x128, Kernel.ConvWgradNhwc32x32];

    /// <summary>C = op(A) op(B).</summary>
    public static Kernel Sgemm(bool transposeA, bool transposeB, TileShape tile) =>
        (transposeA ? transposeB ? Tt : Tn : transposeB ? Nt : Nn)[(int)tile];

    /// <summary>Convolution of images in a layout.</summary>
    public static Kernel ConvForward(Layout layout, TileShape tile) => (layout == Layout.Nhwc ? ForwardLast : ForwardFirst)[(int)tile];

    /// <summary>Gradient by the filters, the images read in a layout.</summary>
    public static Kernel ConvWgrad(Layout layout, TileShape tile) => (layout == Layout.Nhwc ? WgradLast : WgradFirst)[(int)tile];
}
