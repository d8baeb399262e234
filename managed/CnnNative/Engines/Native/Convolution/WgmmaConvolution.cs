using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Convolution of halves on the matrix units of compute capability 9.0. Its copy engine collects patches from images in NHWC, which are made
/// of NCHW first. The depth is channels in slices of 64 per tap, the last filled up with zeros.
/// </summary>
/// <param name="context">The device and its kernels.</param>
/// <param name="type">The type of images and filters.</param>
/// <param name="blocks">Blocks that run at a time: one per multiprocessor.</param>
internal sealed class WgmmaConvolution(NativeContext context, DType type, int blocks) : IConvolutionProduct
{
    public DType Type => type;

    public TileSet Tiles => TileSet.Wgmma;

    public int Unit => 16 / type.Size();

    /// <summary>
    /// Whether the copy engine can express what a pass reads: zeros around the image, pixels and filters in whole units of 16 bytes, channels of several
    /// groups in whole slices, and corners, taps and strides in its range.
    /// </summary>
    public static bool CanDo(in ConvolutionProblem p, ConvolutionPass pass, DType type)
    {
        if (!OperandMap.Knows(type) || p.N == 0 || (p.HasPadding && p.PaddingMode != PaddingMode.Zeros)) return false;
        return pass switch
        {
            ConvolutionPass.Forward => Slices(p.C, p.Groups) && Fits(ConvGeometry.Forward(p, Layout.Nhwc, Layout.Nhwc)),
            ConvolutionPass.BackwardData => Slices(p.K, p.Groups) && PhasesFit(p),
            _ => Slices(p.C, p.Groups) && Units(p.K) && Fits(ConvGeometry.Forward(p, Layout.Nhwc, Layout.Nhwc)),
        };
    }

    public Layout Images(ConvolutionPass pass, int channels, Layout stored) => Layout.Nhwc;

    public Layout Filters(in ConvGeometry geometry, Layout images, Layout? stored) => Layout.Nhwc;

    public long PatchLength(long taps, int channels) => taps * ((channels + OperandMap.Line - 1) / OperandMap.Line * OperandMap.Line);

    /// <summary>Rows are pixels.</summary>
    public TilePlan Plan(int filters, long pixels, long patch, int groups, int multiprocessors) => TilePlan.Choose(Tiles, pixels, filters, patch, groups, multiprocessors);

    public void Forward(
        in TilePlan plan, int groups, in ConvGeometry geometry, Placed x, Placed w, DevicePointer bias, DevicePointer y, in DepthSplit split, Epilogue epilogue)
    {
        var launch = plan.Resident(geometry.Pixels, geometry.Filters, groups, blocks, out var tiles);
        context.Kernels.WgmmaConvForward(
            TileKernels.WgmmaConvForward(type, plan.Tile.Shape), launch, Patches(geometry, groups, x, plan.Tile.Rows), FilterMap(geometry, groups, w, plan.Tile.Columns),
            bias, y, y, geometry, split, epilogue, tiles);
    }

    public void BackwardWeight(in TilePlan plan, int groups, Layout order, in ConvGeometry geometry, Placed x, Placed dy, DevicePointer dw, in DepthSplit split)
    {
        var patch = PatchLength((long)geometry.WindowHeight * geometry.WindowWidth, geometry.Channels);
        var launch = plan.Resident(geometry.Filters, patch, groups, blocks, out var tiles);
        var pixels = new GemmOperand(dy.Pointer, geometry.Out.Column, true);
        context.Kernels.WgmmaConvWgrad(
            TileKernels.WgmmaConvWgrad(type, plan.Tile.Shape), launch, Patches(geometry, groups, x, OperandMap.Line),
            OperandMap.Matrix(context, type, pixels, geometry.Filters * groups, geometry.Pixels, 1, OperandMap.Line), dw, geometry, split,
            Alignment.Wide(dw, geometry.PatchLength, DType.Float32), tiles);
    }

    /// <summary>The images (C, W, H, N) as columns of so many pixels, a slice of channels at a time.</summary>
    private TensorMap Patches(in ConvGeometry g, int groups, Placed x, int pixels)
    {
        var (rows, columns, size) = (PatchBox.Rows(g), PatchBox.Columns(g), type.Size());
        var source = new TensorMapSource(
            x.Pointer, OperandMap.Type(type), [(ulong)(g.Channels * groups), (ulong)g.Width, (ulong)g.Height, (ulong)g.Images],
            [(ulong)g.In.Column * (ulong)size, (ulong)g.In.Row * (ulong)size, (ulong)(g.In.Image * size)], [1, columns.Stride, rows.Stride, 1]);
        return TensorMap.Im2col(context.Stream.Context, source, [columns.Lower, rows.Lower], [columns.Upper, rows.Upper], OperandMap.Line, pixels, OperandMap.Options);
    }

    /// <summary>The filters (c, tap, k): a slice of a tap of as many filters as a tile has columns. A phase without taps reads none.</summary>
    private TensorMap FilterMap(in ConvGeometry g, int groups, Placed w, int columns)
    {
        int taps = Math.Max(1, g.WindowHeight * g.WindowWidth), size = type.Size();
        var channel = (ulong)(g.Channels * size);
        return TensorMap.Tiled(
            context.Stream.Context, new(w.Pointer, OperandMap.Type(type), [(ulong)g.Channels, (ulong)taps, (ulong)(g.Filters * groups)], [channel, channel * (ulong)taps]),
            [OperandMap.Line, 1, columns], OperandMap.Options);
    }

    private static bool Units(int channels) => channels % (16 / sizeof(ushort)) == 0;

    private static bool Slices(int channels, int groups) => Units(channels) && (groups == 1 || channels / groups % OperandMap.Line == 0);

    private static bool Fits(in ConvGeometry g) => PatchBox.Rows(g).Fits && PatchBox.Columns(g).Fits;

    private static bool PhasesFit(in ConvolutionProblem p)
    {
        for (var i = 0; i < DataGradientPhase.Count(p); i++)
        {
            var phase = DataGradientPhase.At(p, i);
            if (!phase.IsEmpty && !Fits(phase.Geometry(p, Layout.Nhwc, Layout.Nhwc))) return false;
        }

        return true;
    }
}
