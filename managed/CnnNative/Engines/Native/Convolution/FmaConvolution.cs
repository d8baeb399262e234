using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Convolution in fp32 on FMA units, in any layouts.</summary>
internal sealed class FmaConvolution(NativeContext context) : IConvolutionProduct
{
    public DType Type => DType.Float32;

    public TileSet Tiles => TileSet.Fma;

    public int Unit => 4;

    public void Forward(
        in TilePlan plan, int groups, in ConvGeometry geometry, Placed x, DevicePointer w, DevicePointer bias, DevicePointer y, in DepthSplit split, Epilogue epilogue) =>
        context.Kernels.ConvForward(
            TileKernels.ConvForward(x.Layout, plan.Tile.Shape), plan.Launch(geometry.Filters, geometry.Pixels, groups), x.Pointer, w, bias, y, geometry, split, epilogue);

    public void BackwardWeight(in TilePlan plan, int groups, Layout order, in ConvGeometry geometry, Placed x, Placed dy, DevicePointer dw, in DepthSplit split)
    {
        var wide = Alignment.Wide(dw, geometry.PatchLength) != 0 ? WideStore.Columns : WideStore.None;
        context.Kernels.ConvWgrad(
            TileKernels.ConvWgrad(order, plan.Tile.Shape), plan.Launch(geometry.Filters, geometry.PatchLength, groups), x.Pointer, dy.Pointer, dw, geometry, split,
            (int)wide);
    }
}
