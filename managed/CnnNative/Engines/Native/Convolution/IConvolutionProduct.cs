using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>The arithmetic of <see cref="ImplicitConvolution"/>: kernels of one kind over one data type.</summary>
internal interface IConvolutionProduct
{
    /// <summary>The type of images and filters.</summary>
    DType Type { get; }

    /// <summary>Its tiles.</summary>
    TileSet Tiles { get; }

    /// <summary>Elements of a 16-byte access.</summary>
    int Unit { get; }

    /// <summary>y = clamp(x * w + bias), filters in the order of x. With a split depth, float partial results behind each other at <paramref name="y"/>.</summary>
    void Forward(
        in TilePlan plan, int groups, in ConvGeometry geometry, Placed x, DevicePointer w, DevicePointer bias, DevicePointer y, in DepthSplit split, Epilogue epilogue);

    /// <summary>dw from x and dy, in float, in an order of filters.</summary>
    void BackwardWeight(
        in TilePlan plan, int groups, Layout order, in ConvGeometry geometry, Placed x, Placed dy, DevicePointer dw, in DepthSplit split);
}
