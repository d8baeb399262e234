namespace CnnNative.Engines.Native;

/// <summary>A depthwise convolution as its kernels see it: a square window of 3, 5 or 7, stride 1 or 2, a filter per channel.</summary>
/// <param name="Pass">The kernel; the gradient by the input of stride 1 is the forward kernel on dy.</param>
/// <param name="Images">Images.</param>
/// <param name="Channels">Channels.</param>
/// <param name="SourceHeight">Rows of the image that windows slide over: x, or dy for the gradient by the input.</param>
/// <param name="SourceWidth">Its columns.</param>
/// <param name="Height">Rows of the image that work is divided by: y, or dx.</param>
/// <param name="Width">Its columns.</param>
/// <param name="Size">Side of the window.</param>
/// <param name="Stride">Step of the window.</param>
/// <param name="Type">Data type of images and filters.</param>
internal readonly record struct DepthwiseShape(
    ConvolutionPass Pass, int Images, int Channels, int SourceHeight, int SourceWidth, int Height, int Width, int Size, int Stride, DType Type)
{
    /// <summary>Elements of 16 bytes.</summary>
    public int Unit => 16 / Type.Size();

    /// <summary>Results that a row of the source takes part in, with a stride: those that a thread has open.</summary>
    public int Open => (Size + Stride - 1) / Stride;

    /// <summary>Rows of a strip that are worth the rows around it, which two strips read: a quarter more at most.</summary>
    public int LeastRows => Math.Max(4, 4 * (Size - Stride) / Stride);

    /// <summary>Whether there are kernels for a problem's window.</summary>
    public static bool Fits(in ConvolutionProblem p) =>
        p.R is 3 or 5 or 7 && p.S == p.R && p.StrideH == p.StrideW && p.StrideH is 1 or 2 && p.DilationH == 1 && p.DilationW == 1 && p.K == p.C;

    /// <summary>y from x, and the gradient by the filters, from both.</summary>
    public static DepthwiseShape Of(ConvolutionPass pass, in ConvolutionProblem p, DType type) => pass == ConvolutionPass.BackwardData
        ? new(p.StrideH == 1 ? ConvolutionPass.Forward : pass, p.N, p.C, p.P, p.Q, p.H, p.W, p.R, p.StrideH, type)
        : new(pass, p.N, p.C, p.H, p.W, p.P, p.Q, p.R, p.StrideH, type);

    /// <summary>Most rows, or columns, of the source that so many rows of results meet.</summary>
    public int Seen(int results) => Pass == ConvolutionPass.BackwardData ? results / 2 + (Size + 1) / 2 : (results - 1) * Stride + Size;

    /// <summary>How many strips rows are cut into, so that there are so many blocks as are wanted, of which there are some without.</summary>
    public int Strips(long blocks, long wanted) => (int)Math.Clamp((wanted + blocks - 1) / Math.Max(1, blocks), 1, Math.Max(1, Height / LeastRows));

    /// <summary>
    /// How items are divided over blocks of the gradient by the filters: enough blocks for the device, but no more partial results
    /// than a tenth of the gradient itself.
    /// </summary>
    /// <param name="items">Items of one block in the first dimension.</param>
    /// <param name="groups">Blocks in the first dimension.</param>
    /// <param name="wanted">Blocks that fill the device.</param>
    public (int ItemsPerSplit, int Splits) Split(int items, int groups, long wanted)
    {
        var most = Math.Clamp((long)Images * Height * Width / 10 / (Size * Size), 1, Math.Max(1, items));
        var splits = (int)Math.Clamp((wanted + groups - 1) / groups, 1, most);
        var each = Math.Max(1, (items + splits - 1) / splits);
        return (each, Math.Max(1, (items + each - 1) / each));
    }
}
