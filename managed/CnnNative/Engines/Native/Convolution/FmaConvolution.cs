using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Convolution in fp32 on FMA units, in any layouts.</summary>
internal sealed class FmaConvolution(NativeContext context) : IConvolutionProduct
{
    /// <summary>Multiply-adds from which on a sixth of the time, what dividing up taps costs, is more than reordering the filters.</summary>
    private const long WorthReordering = 1L << 28;

    public DType Type => DType.Float32;

    public TileSet Tiles => TileSet.Fma;

    public int Unit => 4;

    public Layout Images(ConvolutionPass pass, int channels, Layout stored) => stored;

    /// <summary>Channel by channel within a tap (NHWC) where the images are so, and where whole steps of the depth have one tap.</summary>
    public Layout Filters(in ConvGeometry geometry, Layout images, Layout? stored)
    {
        if (images == Layout.Nhwc) return Layout.Nhwc;
        if (geometry.Channels % TileSet.Fma.StepDepth != 0) return Layout.Nchw;
        var isFree = stored is null or Layout.Nhwc || geometry.WindowHeight * geometry.WindowWidth == 1;
        return isFree || (long)geometry.Filters * geometry.Pixels * geometry.PatchLength >= WorthReordering ? Layout.Nhwc : Layout.Nchw;
    }

    public void Forward(
        in TilePlan plan, int groups, in ConvGeometry geometry, Placed x, Placed w, DevicePointer bias, DevicePointer y, in DepthSplit split, Epilogue epilogue) =>
        context.Kernels.ConvForward(
            TileKernels.ConvForward(x.Layout, w.Layout, plan.Tile.Shape), plan.Launch(geometry.Filters, geometry.Pixels, groups), x.Pointer, w.Pointer, bias, y, geometry, split, epilogue);

    public void BackwardWeight(in TilePlan plan, int groups, Layout order, in ConvGeometry geometry, Placed x, Placed dy, DevicePointer dw, in DepthSplit split)
    {
        var wide = Alignment.Wide(dw, geometry.PatchLength, DType.Float32) != 0 ? WideStore.Columns : WideStore.None;
        context.Kernels.ConvWgrad(
            TileKernels.ConvWgrad(order, plan.Tile.Shape), plan.Launch(geometry.Filters, geometry.PatchLength, groups), x.Pointer, dy.Pointer, dw, geometry, split,
            (int)wide);
    }
}
