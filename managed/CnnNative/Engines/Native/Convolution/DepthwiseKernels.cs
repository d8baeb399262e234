namespace CnnNative.Engines.Native;

/// <summary>The depthwise kernels by layout, window and data type.</summary>
internal static class DepthwiseKernels
{
    private static readonly Kernel[] ForwardFirst =
    [
        Kernel.DepthwiseNchw3x3F32, Kernel.DepthwiseNchw3x3Bf16, Kernel.DepthwiseNchw3x3F16,
        Kernel.DepthwiseNchw5x5F32, Kernel.DepthwiseNchw5x5Bf16, Kernel.DepthwiseNchw5x5F16,
        Kernel.DepthwiseNchw7x7F32, Kernel.DepthwiseNchw7x7Bf16, Kernel.DepthwiseNchw7x7F16,
    ];

    private static readonly Kernel[] ForwardLast =
    [
        Kernel.DepthwiseNhwc3x3F32, Kernel.DepthwiseNhwc3x3Bf16, Kernel.DepthwiseNhwc3x3F16,
        Kernel.DepthwiseNhwc5x5F32, Kernel.DepthwiseNhwc5x5Bf16, Kernel.DepthwiseNhwc5x5F16,
        Kernel.DepthwiseNhwc7x7F32, Kernel.DepthwiseNhwc7x7Bf16, Kernel.DepthwiseNhwc7x7F16,
    ];

    private static readonly Kernel[] DgradFirst =
    [
        Kernel.DepthwiseDgradNchw3x3F32, Kernel.DepthwiseDgradNchw3x3Bf16, Kernel.DepthwiseDgradNchw3x3F16,
        Kernel.DepthwiseDgradNchw5x5F32, Kernel.DepthwiseDgradNchw5x5Bf16, Kernel.DepthwiseDgradNchw5x5F16,
        Kernel.DepthwiseDgradNchw7x7F32, Kernel.DepthwiseDgradNchw7x7Bf16, Kernel.DepthwiseDgradNchw7x7F16,
    ];

    private static readonly Kernel[] DgradLast =
    [
        Kernel.DepthwiseDgradNhwc3x3F32, Kernel.DepthwiseDgradNhwc3x3Bf16, Kernel.DepthwiseDgradNhwc3x3F16,
        Kernel.DepthwiseDgradNhwc5x5F32, Kernel.DepthwiseDgradNhwc5x5Bf16, Kernel.DepthwiseDgradNhwc5x5F16,
        Kernel.DepthwiseDgradNhwc7x7F32, Kernel.DepthwiseDgradNhwc7x7Bf16, Kernel.DepthwiseDgradNhwc7x7F16,
    ];

    private static readonly Kernel[] WgradFirst =
    [
        Kernel.DepthwiseWgradNchw3x3F32, Kernel.DepthwiseWgradNchw3x3Bf16, Kernel.DepthwiseWgradNchw3x3F16,
        Kernel.DepthwiseWgradNchw5x5F32, Kernel.DepthwiseWgradNchw5x5Bf16, Kernel.DepthwiseWgradNchw5x5F16,
        Kernel.DepthwiseWgradNchw7x7F32, Kernel.DepthwiseWgradNchw7x7Bf16, Kernel.DepthwiseWgradNchw7x7F16,
    ];

    private static readonly Kernel[] WgradLast =
    [
        Kernel.DepthwiseWgradNhwc3x3F32, Kernel.DepthwiseWgradNhwc3x3Bf16, Kernel.DepthwiseWgradNhwc3x3F16,
        Kernel.DepthwiseWgradNhwc5x5F32, Kernel.DepthwiseWgradNhwc5x5Bf16, Kernel.DepthwiseWgradNhwc5x5F16,
        Kernel.DepthwiseWgradNhwc7x7F32, Kernel.DepthwiseWgradNhwc7x7Bf16, Kernel.DepthwiseWgradNhwc7x7F16,
    ];

    /// <summary>The kernel of a pass, for a square window of 3, 5 or 7.</summary>
    public static Kernel Of(ConvolutionPass pass, Layout layout, int size, DType type)
    {
        var kernels = pass switch
        {
            ConvolutionPass.Forward => layout == Layout.Nhwc ? ForwardLast : ForwardFirst,
            ConvolutionPass.BackwardData => layout == Layout.Nhwc ? DgradLast : DgradFirst,
            _ => layout == Layout.Nhwc ? WgradLast : WgradFirst,
        };
        var window = kernels.AsSpan((size - 3) / 2 * 3, 3);
        return Kernels.OfType(type, window[0], window[1], window[2]);
    }
}
