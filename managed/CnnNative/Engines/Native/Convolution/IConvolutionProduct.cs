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

    /// <summary>The layout of images that a pass is to be given.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="channels">Channels of a group that the pass sums over; of no meaning for the gradient by the filters.</param>
    /// <param name="stored">The layout that the images have.</param>
    Layout Images(ConvolutionPass pass, int channels, Layout stored);

    /// <summary>The layout of filters that a convolution is to be given.</summary>
    /// <param name="geometry">The convolution.</param>
    /// <param name="images">Layout of the images.</param>
    /// <param name="stored">The layout that the filters have; null if they are copied anyway.</param>
    Layout Filters(in ConvGeometry geometry, Layout images, Layout? stored);

    /// <summary>Length of a patch, (taps, channels), as its kernels count it: they may fill up channels.</summary>
    long PatchLength(long taps, int channels) => taps * channels;

    /// <summary>How the convolution of so many pixels by so many filters of a group is divided over blocks.</summary>
    TilePlan Plan(int filters, long pixels, long patch, int groups, int multiprocessors) => TilePlan.Choose(Tiles, filters, pixels, patch, groups, multiprocessors);

    /// <summary>y = clamp(x * w + bias), filters in the layout asked for. With a split depth, float partial results behind each other at <paramref name="y"/>.</summary>
    void Forward(
        in TilePlan plan, int groups, in ConvGeometry geometry, Placed x, Placed w, DevicePointer bias, DevicePointer y, in DepthSplit split, Epilogue epilogue);

    /// <summary>dw from x and dy, in float, in an order of filters.</summary>
    void BackwardWeight(
        in TilePlan plan, int groups, Layout order, in ConvGeometry geometry, Placed x, Placed dy, DevicePointer dw, in DepthSplit split);
}
