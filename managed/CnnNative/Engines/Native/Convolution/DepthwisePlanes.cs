using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>How a depthwise convolution in NCHW is divided over blocks; the twin of the structure in native/kernels/conv/plane_tile.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DepthwisePlanes
{
    private const int Threads = 128;

    /// <summary>Shared memory of a block: of one plane or a strip of it, and of several planes.</summary>
    private const int MostShared = 48 << 10, MostSharedOfPlanes = 24 << 10;

    private const int BlocksPerMultiprocessor = 6;

    /// <summary>Planes of which one more or less makes little difference.</summary>
    private const int ManyPlanes = 8;

    public int Planes;
    public int Rows, Strips;
    public int Parts, RowsOfPart;
    public int PlaneStep;
    public int Lanes;
    public int Second;
    public int Wide;
    public int Items, ItemsPerSplit;

    /// <summary>
    /// Planes, or a strip of one, as shared memory takes them while there are blocks for the device. No rows where not even one row
    /// fits, or where padding shows rows that a strip does not have.
    /// </summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="mode">What stands outside the image.</param>
    /// <param name="wide">Whether tensors start at multiples of 16 bytes.</param>
    /// <param name="multiprocessors">Of the device.</param>
    public static DepthwisePlanes For(in DepthwiseShape shape, PaddingMode mode, bool wide, int multiprocessors)
    {
        var sums = shape.Pass == ConvolutionPass.BackwardWeight;
        var wanted = (long)multiprocessors * BlocksPerMultiprocessor;
        var all = (long)shape.Channels * shape.Images;
        var bytes = ((long)shape.SourceHeight * shape.SourceWidth + (long)shape.Height * shape.Width) * shape.Type.Size();
        var planes = new DepthwisePlanes { Wide = wide ? 1 : 0, Rows = shape.Height, Lanes = Math.Min(shape.Width, Threads) };
        var most = Math.Min(Math.Max(1, all / wanted), sums ? Math.Min(shape.Channels, Threads / planes.Lanes) : int.MaxValue);
        planes.Planes = (int)Math.Clamp(MostSharedOfPlanes / Math.Max(1, bytes), 1, most);
        // Of an odd number more steps reach every plane.
        if (planes.Planes > ManyPlanes) planes.Planes = planes.Planes - 1 | 1;
        if (planes.Planes == 1 && mode == PaddingMode.Zeros) planes.Rows = Divided(shape.Height, shape.Strips(all, wanted));
        if (bytes > MostShared && planes.Planes == 1) planes.Rows = mode == PaddingMode.Zeros ? Math.Min(planes.Rows, MostRows(shape)) : 0;
        if (planes.Rows <= 0) return default;
        planes.Strips = Divided(shape.Height, planes.Rows);
        planes.Parts = Math.Clamp(Threads / (planes.Lanes * planes.Planes), 1, Math.Max(1, planes.Rows / (2 * shape.Size)));
        (planes.RowsOfPart, planes.PlaneStep) = PlaneBanks.Best(planes, shape);
        planes.Second = Divided(planes.Planes * planes.SourceRows(shape) * shape.SourceWidth, shape.Unit) + 1;
        planes.Items = checked(shape.Images * planes.Strips);
        planes.ItemsPerSplit = shape.Split(planes.Items, planes.Groups(shape), wanted).ItemsPerSplit;
        return planes;
    }

    /// <summary>Parts of the gradient by the filters.</summary>
    public readonly int Splits => Math.Max(1, Divided(Items, ItemsPerSplit));

    /// <summary>A block per strip and group of planes; for the gradient by the filters, per group and split.</summary>
    public readonly LaunchConfiguration Launch(in DepthwiseShape shape)
    {
        const int unitBytes = 16;
        var tiles = (Second + Divided(Planes * Rows * shape.Width, shape.Unit) + 1) * unitBytes;
        if (shape.Pass != ConvolutionPass.BackwardWeight) return new(checked(Divided(shape.Images * shape.Channels, Planes) * Strips), Threads, tiles);
        var sums = shape.Size * shape.Size * (Threads + 1) * sizeof(float);
        return new(new Dim3(Groups(shape), Splits), Threads, Math.Max(tiles, sums));
    }

    /// <summary>Groups of planes of an image.</summary>
    private readonly int Groups(in DepthwiseShape shape) => Divided(shape.Channels, Planes);

    private readonly int SourceRows(in DepthwiseShape shape) => Strips == 1 ? shape.SourceHeight : Math.Min(shape.SourceHeight, shape.Seen(Rows));

    /// <summary>Rows of a strip whose tiles fit; none if not even one does.</summary>
    private static int MostRows(in DepthwiseShape shape)
    {
        var elements = MostShared / shape.Type.Size();
        var perRow = shape.Pass == ConvolutionPass.BackwardData ? shape.SourceWidth / 2 + shape.Width + 1 : shape.SourceWidth * shape.Stride + shape.Width;
        return (elements - shape.Size * shape.SourceWidth) / perRow;
    }

    private static int Divided(int count, int size) => (count + size - 1) / Math.Max(1, size);
}
