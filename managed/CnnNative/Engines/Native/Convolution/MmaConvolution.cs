using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Convolution on matrix units: bfloat16, float16, or fp32 rounded to tf32; sums in fp32. Where channels that are summed over come in
/// multiples of 16 bytes, images are read in NHWC, which is made of NCHW first: copies of 16 bytes pay for it. Others are read by
/// elements, as they lie.
/// </summary>
internal sealed class MmaConvolution(NativeContext context, DType type) : IConvolutionProduct
{
    public DType Type => type;

    public TileSet Tiles => TileSet.Mma(type);

    public int Unit => 16 / type.Size();

    /// <summary>Whether all that a pass reads can be copied in units of 16 bytes, as it lies.</summary>
    public static bool ReadsUnits(in ConvolutionProblem p, ConvolutionPass pass, DType type, Layout x, Layout y)
    {
        int unit = 16 / type.Size(), channels = p.C / p.Groups, filters = p.K / p.Groups;
        return x == Layout.Nhwc && y == Layout.Nhwc && pass switch
        {
            ConvolutionPass.Forward => channels % unit == 0,
            ConvolutionPass.BackwardData => filters % unit == 0,
            _ => channels % unit == 0 && filters % unit == 0,
        };
    }

    public Layout Images(ConvolutionPass pass, int channels, Layout stored) =>
        pass == ConvolutionPass.BackwardWeight || channels % Unit == 0 ? Layout.Nhwc : stored;

    public Layout Filters(in ConvGeometry geometry, Layout images, Layout? stored) => Layout.Nhwc;

    public void Forward(
        in TilePlan plan, int groups, in ConvGeometry geometry, Placed x, Placed w, DevicePointer bias, DevicePointer y, in DepthSplit split, Epilogue epilogue) =>
        context.Kernels.MmaConvForward(
            TileKernels.MmaConvForward(type, geometry.WideIn != 0 && geometry.WideWeights != 0, plan.Tile.Shape), plan.Launch(geometry.Pixels, geometry.Filters, groups), x.Pointer, w.Pointer, bias, y, y, geometry, split,
            epilogue);

    public void BackwardWeight(in TilePlan plan, int groups, Layout order, in ConvGeometry geometry, Placed x, Placed dy, DevicePointer dw, in DepthSplit split) =>
        context.Kernels.MmaConvWgrad(
            TileKernels.MmaConvWgrad(type, geometry.WideIn != 0 && geometry.WideOut == WideStore.Rows, plan.Tile.Shape), plan.Launch(geometry.Filters, geometry.PatchLength, groups), x.Pointer, dy.Pointer, dw, geometry, split,
            Alignment.Wide(dw, geometry.PatchLength, DType.Float32));
}
