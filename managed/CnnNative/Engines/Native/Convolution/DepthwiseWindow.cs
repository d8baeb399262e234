namespace CnnNative.Engines.Native;

/// <summary>The square windows that depthwise kernels keep in registers: which problems fit, and their kernels.</summary>
internal static class DepthwiseWindow
{
    private static readonly Kernel[] First =
    [
        Kernel.DepthwiseNchw3x3S1, Kernel.DepthwiseNchw3x3S2, Kernel.DepthwiseNchw5x5S1, Kernel.DepthwiseNchw5x5S2, Kernel.DepthwiseNchw7x7S1,
        Kernel.DepthwiseNchw7x7S2,
    ];

    private static readonly Kernel[] Last =
    [
        Kernel.DepthwiseNhwc3x3S1, Kernel.DepthwiseNhwc3x3S2, Kernel.DepthwiseNhwc5x5S1, Kernel.DepthwiseNhwc5x5S2, Kernel.DepthwiseNhwc7x7S1,
        Kernel.DepthwiseNhwc7x7S2,
    ];

    private static readonly Kernel[] WgradFirst =
    [
        Kernel.DepthwiseWgradNchw3x3S1, Kernel.DepthwiseWgradNchw3x3S2, Kernel.DepthwiseWgradNchw5x5S1, Kernel.DepthwiseWgradNchw5x5S2,
        Kernel.DepthwiseWgradNchw7x7S1, Kernel.DepthwiseWgradNchw7x7S2,
    ];

    private static readonly Kernel[] WgradLast =
    [
        Kernel.DepthwiseWgradNhwc3x3S1, Kernel.DepthwiseWgradNhwc3x3S2, Kernel.DepthwiseWgradNhwc5x5S1, Kernel.DepthwiseWgradNhwc5x5S2,
        Kernel.DepthwiseWgradNhwc7x7S1, Kernel.DepthwiseWgradNhwc7x7S2,
    ];

    /// <summary>Whether rows can stay in registers: 3x3, 5x5 or 7x7, stride 1 or 2, no dilation.</summary>
    public static bool Fits(in ConvolutionProblem p) =>
        p.R is 3 or 5 or 7 && p.S == p.R && p.StrideH == p.StrideW && p.StrideH is 1 or 2 && p.DilationH == 1 && p.DilationW == 1;

    /// <summary>Whether the forward kernel computes the gradient by the input too, with the filter backwards.</summary>
    public static bool FitsBackwards(in ConvolutionProblem p) => Fits(p) && p.StrideH == 1 && p.K == p.C;

    /// <summary>Channels of a thread: four where a 16-byte access can take them.</summary>
    public static int ChannelsPerThread(in ConvolutionProblem p, Layout layout) => layout == Layout.Nhwc && p.R == 3 ? 4 : 1;

    /// <summary>The kernel of a window and a stride.</summary>
    public static Kernel Forward(Layout layout, int size, int stride) => (layout == Layout.Nhwc ? Last : First)[Index(size, stride)];

    /// <summary>The kernel of the gradient by the filters.</summary>
    public static Kernel Wgrad(Layout layout, int size, int stride) => (layout == Layout.Nhwc ? WgradLast : WgradFirst)[Index(size, stride)];

    private static int Index(int size, int stride) => size - 3 + stride - 1;
}
