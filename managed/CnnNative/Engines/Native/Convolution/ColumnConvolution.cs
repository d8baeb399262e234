using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// The explicit way: patches are written to memory (im2col), then multiplied; gradients by the input are summed back from
/// columns (col2im). Columns are of the type of the images, all sums fp32. One group. Images go in pieces, so that the columns fit into bounded working memory.
/// </summary>
/// <param name="context">The device and its kernels.</param>
/// <param name="gemm">Products of the type of the images.</param>
/// <param name="mostBytes">Bytes that the columns of a piece may take, if it is more than one image.</param>
internal sealed class ColumnConvolution(NativeContext context, NativeGemm gemm, long mostBytes = 256L << 20)
{
    private const int Threads = 256;
    private const int MostImages = 65535;

    private readonly DType type = gemm.Type;
    private readonly int size = gemm.Type.Size();

    /// <summary>y = clamp(x * w + bias), all in one layout, the filters too.</summary>
    public void Forward(in ConvolutionProblem problem, Placed x, Placed w, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        var (length, pixels) = Sizes(problem);
        using var columns = context.Rent(Columns(problem));
        foreach (var piece in Pieces(problem))
        {
            Im2col(piece, x, columns);
            var target = y.Pointer.Plus(piece.First * problem.K * (long)pixels * size);
            if (x.Layout == Layout.Nhwc)
            {
                gemm.Multiply(
                    new(piece.Problem.N * pixels, problem.K, length, new(columns, length, false), new(w.Pointer, length, true)), target, new(default, bias), epilogue);
            }
            else
            {
                gemm.Multiply(
                    new(problem.K, pixels, length, new(w.Pointer, length, false), Matrices(columns, length, pixels), piece.Problem.N), target,
                    new(bias, default), epilogue);
            }
        }
    }

    /// <summary>dx from dy; padding is zeros or none.</summary>
    public void BackwardData(in ConvolutionProblem problem, Placed dy, Placed w, Placed dx)
    {
        var (length, pixels) = Sizes(problem);
        using var columns = context.Rent(Columns(problem));
        foreach (var piece in Pieces(problem))
        {
            var source = dy.Pointer.Plus(piece.First * problem.K * (long)pixels * size);
            if (dy.Layout == Layout.Nhwc)
            {
                gemm.Multiply(
                    new(piece.Problem.N * pixels, length, problem.K, new(source, problem.K, false), new(w.Pointer, length, false)), columns, default, Epilogues.None);
            }
            else
            {
                gemm.Multiply(
                    new(length, pixels, problem.K, new(w.Pointer, length, true), Matrices(source, problem.K, pixels), piece.Problem.N), columns, default,
                    Epilogues.None);
            }

            Col2im(piece.Problem, dx.Layout, columns, dx.Pointer.Plus(piece.First * (long)problem.C * problem.H * problem.W * size));
        }
    }

    /// <summary>dw, in the layout of x and dy. Every piece has a sum of its own; they are added in order.</summary>
    public void BackwardWeight(in ConvolutionProblem problem, Placed x, Placed dy, DevicePointer dw)
    {
        var pieces = Pieces(problem);
        var bytes = problem.WeightShape.Count * sizeof(float);
        using var columns = context.Rent(Columns(problem));
        using var partial = context.Rent(bytes * pieces.Count);
        for (var i = 0; i < pieces.Count; i++)
        {
            Im2col(pieces[i], x, columns);
            MultiplyPiece(pieces[i], x.Layout, dy.Pointer, columns, partial.Pointer.Plus(i * bytes));
        }

        new SplitSums(context, type).Add(partial, dw, problem.WeightShape.Count, pieces.Count);
    }

    /// <summary>dw of some images in fp32: dy^T (K, pixels) columns (pixels, length); the sum of a product per image in NCHW.</summary>
    private void MultiplyPiece(in Piece piece, Layout layout, DevicePointer dy, DevicePointer columns, DevicePointer dw)
    {
        var p = piece.Problem;
        var (length, pixels) = Sizes(p);
        var source = dy.Plus(piece.First * p.K * (long)pixels * size);
        if (layout == Layout.Nhwc)
            gemm.Sum(new(p.K, length, p.N * pixels, new(source, p.K, true), new(columns, length, false)), dw, DType.Float32);
        else
            gemm.Sum(new(p.K, length, pixels, Matrices(source, p.K, pixels), Matrices(columns, length, pixels) with { Transposed = true }, p.N), dw, DType.Float32);
    }

    private void Im2col(in Piece piece, Placed x, DevicePointer columns)
    {
        var p = piece.Problem;
        Im2col(p, x.Layout, x.Pointer.Plus(piece.First * (long)p.C * p.H * p.W * size), columns);
    }

    /// <summary>The patches of all images: (N, C R S, P Q) in NCHW, (N, P Q, R S C) in NHWC.</summary>
    internal void Im2col(in ConvolutionProblem p, Layout layout, DevicePointer x, DevicePointer columns)
    {
        var (length, pixels) = Sizes(p);
        var (launch, geometry) = (Launch((long)length * pixels, p.N), ConvGeometry.Forward(p, layout, layout));
        if (layout == Layout.Nhwc) context.Kernels.Im2colNhwc(type, launch, x, columns, geometry);
        else context.Kernels.Im2colNchw(type, launch, x, columns, geometry);
    }

    /// <summary>Sums over the patches that a pixel is in.</summary>
    internal void Col2im(in ConvolutionProblem p, Layout layout, DevicePointer columns, DevicePointer dx)
    {
        var (launch, geometry) = (Launch((long)p.C * p.H * p.W, p.N), ConvGeometry.Forward(p, layout, layout));
        if (layout == Layout.Nhwc) context.Kernels.Col2imNhwc(type, launch, columns, dx, geometry);
        else context.Kernels.Col2imNchw(type, launch, columns, dx, geometry);
    }

    /// <summary>A matrix (rows, columns) per image.</summary>
    private static GemmOperand Matrices(DevicePointer first, int rows, int columns) => new(first, columns, false, (long)rows * columns);

    /// <summary>A thread per element of an image, images in the second dimension.</summary>
    internal static LaunchConfiguration Launch(long elements, int images) => new(new Dim3((int)((elements + Threads - 1) / Threads), images), Threads);

    private static (int Length, int Pixels) Sizes(in ConvolutionProblem p) => (p.C * p.R * p.S, p.P * p.Q);

    /// <summary>Bytes of the columns of the largest piece.</summary>
    private long Columns(in ConvolutionProblem p) => (long)p.C * p.R * p.S * p.P * p.Q * PieceImages(p) * size;

    private int PieceImages(in ConvolutionProblem p)
    {
        // In NCHW the gradient by the filters has sums in fp32 for every image.
        var perImage = Math.Max((long)p.C * p.R * p.S * p.P * p.Q * size, p.WeightShape.Count * sizeof(float));
        return (int)Math.Clamp(mostBytes / Math.Max(1, perImage), 1, Math.Min(Math.Max(1, p.N), MostImages));
    }

    private List<Piece> Pieces(in ConvolutionProblem p)
    {
        var images = PieceImages(p);
        var pieces = new List<Piece>((p.N + images - 1) / images);
        for (var first = 0; first < p.N; first += images) pieces.Add(new(first, p with { N = Math.Min(images, p.N - first) }));
        return pieces;
    }

    /// <summary>Some images of a problem.</summary>
    private readonly record struct Piece(int First, ConvolutionProblem Problem);
}
