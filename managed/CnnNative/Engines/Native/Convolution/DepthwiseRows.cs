using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>How a depthwise convolution in NHWC is divided over blocks; the twin of the structure in native/kernels/conv/row_ring.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DepthwiseRows
{
    private const int Warps = 4, SliceBytes = 128;

    /// <summary>Columns of the source in shared memory at once.</summary>
    private const int MostColumns = 64;

    /// <summary>Shared memory of a block, so that a multiprocessor holds two.</summary>
    private const int MostShared = 80 << 10;

    private const int BlocksPerMultiprocessor = 3;

    public int Slices, Tiles, Strips;
    public int Columns, Rows;
    public int RowsPerStep;
    public int Slots;
    public int Wide;
    public int Items, ItemsPerSplit;

    /// <summary>Rows as wide as shared memory takes, strips as long as they may be while there are blocks for the device.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="wide">Whether pixels start at multiples of 16 bytes.</param>
    /// <param name="multiprocessors">Of the device.</param>
    public static DepthwiseRows For(in DepthwiseShape shape, bool wide, int multiprocessors)
    {
        var most = shape.Pass == ConvolutionPass.BackwardData ? MostColumns : MostColumns / shape.Stride;
        var rows = new DepthwiseRows { Wide = wide ? 1 : 0, Slices = Parts(shape.Channels * shape.Type.Size(), SliceBytes), Tiles = Parts(shape.Width, most) };
        rows.Columns = Parts(shape.Width, rows.Tiles);
        var least = shape.Pass == ConvolutionPass.BackwardData ? 2 : 1;
        rows.RowsPerStep = Warps;
        while (rows.RowsPerStep > least && (rows.RowsPerStep / 2 >= shape.Height || rows.RingBytes(shape) > MostShared)) rows.RowsPerStep /= 2;
        rows.Slots = rows.RingRows(shape);
        var wanted = (long)multiprocessors * BlocksPerMultiprocessor;
        var strips = shape.Strips((long)shape.Images * rows.Slices * rows.Tiles, wanted);
        rows.Rows = Parts(Parts(shape.Height, strips), rows.RowsPerStep) * rows.RowsPerStep;
        rows.Strips = Parts(shape.Height, rows.Rows);
        rows.Items = checked(shape.Images * rows.Strips * rows.Tiles);
        rows.ItemsPerSplit = shape.Split(rows.Items, rows.Slices, wanted).ItemsPerSplit;
        return rows;
    }

    /// <summary>Parts of the gradient by the filters.</summary>
    public readonly int Splits => Math.Max(1, Parts(Items, ItemsPerSplit));

    /// <summary>A block per slice, tile, strip and image; for the gradient by the filters, per slice and split.</summary>
    public readonly LaunchConfiguration Launch(in DepthwiseShape shape) => shape.Pass == ConvolutionPass.BackwardWeight
        ? new(new Dim3(Slices, Splits), Warps * 32, Math.Max(RingBytes(shape), SumsBytes(shape)))
        : new(checked(Slices * Items), Warps * 32, RingBytes(shape));

    /// <summary>Rows of one step and those that the next one adds.</summary>
    private readonly int RingRows(in DepthwiseShape shape) => shape.Pass == ConvolutionPass.BackwardData
        ? shape.Seen(RowsPerStep) + RowsPerStep / 2
        : shape.Seen(RowsPerStep) + RowsPerStep * shape.Stride;

    private readonly int RingBytes(in DepthwiseShape shape)
    {
        var pitch = shape.Pass == ConvolutionPass.BackwardData ? shape.Seen(Columns) + 1 : (Columns + shape.Open - 1) * shape.Stride;
        var gradient = shape.Pass == ConvolutionPass.BackwardWeight ? 2 * RowsPerStep * Columns : 0;
        return (RingRows(shape) * pitch + gradient) * SliceBytes;
    }

    /// <summary>The sums of every warp, in float.</summary>
    private static int SumsBytes(in DepthwiseShape shape) => Warps * shape.Size * shape.Size * (SliceBytes / shape.Type.Size()) * sizeof(float);

    private static int Parts(int count, int size) => (count + size - 1) / Math.Max(1, size);
}
