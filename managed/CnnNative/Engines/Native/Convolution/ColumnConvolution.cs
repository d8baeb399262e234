using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// The explicit way: patches are written to memory (im2col), then multiplied; gradients by the input are summed back from
/// columns (col2im). One group. Images go in pieces, so that the columns fit into bounded working memory.
/// </summary>
internal sealed class ColumnConvolution(NativeContext context)
{
    private const int Threads = 256;
    private const long MostBytes = 256L << 20;
    private const int MostImages = 65535;

    private readonly NativeGemm gemm = new(context);
    private readonly SplitSums sums = new(context, DType.Float32);

    /// <summary>y = clamp(x * w + bias), all in one layout, the filters too.</summary>
    public void Forward(in ConvolutionProblem problem, Placed x, Placed w, DevicePointer bias, Epilogue epilogue, Placed y)
    {
        var (length, pixels) = Sizes(problem);
        using var columns = context.Rent(Columns(problem));
        foreach (var piece in Pieces(problem))
        {
            Im2col(piece, x, columns);
            var target = y.Pointer.Plus(piece.First * problem.K * (long)pixels * sizeof(float));
            if (x.Layout == Layout.Nhwc)
            {
                gemm.Multiply(
                    piece.Problem.N * pixels, problem.K, length, new(columns, length, false), new(w.Pointer, length, true), target, new(default, bias), epilogue);
            }
            else
            {
                gemm.Multiply(
                    problem.K, pixels, length, new(w.Pointer, length, false), new(columns, pixels, false, (long)length * pixels), target, new(bias, default),
                    epilogue, piece.Problem.N);
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
            var source = dy.Pointer.Plus(piece.First * problem.K * (long)pixels * sizeof(float));
            if (dy.Layout == Layout.Nhwc)
            {
                gemm.Multiply(
                    piece.Problem.N * pixels, length, problem.K, new(source, problem.K, false), new(w.Pointer, length, false), columns, default, Epilogues.None);
            }
            else
            {
                gemm.Multiply(
                    length, pixels, problem.K, new(w.Pointer, length, true), new(source, pixels, false, (long)problem.K * pixels), columns, default, Epilogues.None,
                    piece.Problem.N);
            }

            var count = problem.C * problem.H * problem.W;
            var target = dx.Pointer.Plus((long)piece.First * count * sizeof(float));
            context.Kernels.Col2im(
                dx.Layout == Layout.Nhwc ? Kernel.Col2imNhwc : Kernel.Col2imNchw, Launch(count, piece.Problem.N), columns, target,
                ConvGeometry.Forward(piece.Problem, dx.Layout, dy.Layout));
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

        sums.Add(partial, dw, problem.WeightShape.Count, pieces.Count);
    }

    /// <summary>dw of some images: dy^T (K, pixels) columns (pixels, length); a product per image in NCHW.</summary>
    private void MultiplyPiece(in Piece piece, Layout layout, DevicePointer dy, DevicePointer columns, DevicePointer dw)
    {
        var p = piece.Problem;
        var (length, pixels) = Sizes(p);
        var source = dy.Plus(piece.First * p.K * (long)pixels * sizeof(float));
        if (layout == Layout.Nhwc)
        {
            gemm.Multiply(p.K, length, p.N * pixels, new(source, p.K, true), new(columns, length, false), dw, default, Epilogues.None);
            return;
        }

        using var images = context.Rent(p.WeightShape.Count * p.N * sizeof(float));
        gemm.Multiply(
            p.K, length, pixels, new(source, pixels, false, (long)p.K * pixels), new(columns, pixels, true, (long)length * pixels), images, default, Epilogues.None,
            p.N);
        sums.Add(images, dw, p.WeightShape.Count, p.N);
    }

    private void Im2col(in Piece piece, Placed x, DevicePointer columns)
    {
        var p = piece.Problem;
        var (length, pixels) = Sizes(p);
        var source = x.Pointer.Plus(piece.First * (long)p.C * p.H * p.W * sizeof(float));
        context.Kernels.Im2col(
            x.Layout == Layout.Nhwc ? Kernel.Im2colNhwc : Kernel.Im2colNchw, Launch((long)length * pixels, p.N), source, columns,
            ConvGeometry.Forward(p, x.Layout, x.Layout));
    }

    private static LaunchConfiguration Launch(long elements, int images) => new(new Dim3((int)((elements + Threads - 1) / Threads), images), Threads);

    private static (int Length, int Pixels) Sizes(in ConvolutionProblem p) => (p.C * p.R * p.S, p.P * p.Q);

    /// <summary>Bytes of the columns of the largest piece.</summary>
    private static long Columns(in ConvolutionProblem p) => (long)p.C * p.R * p.S * p.P * p.Q * PieceImages(p) * sizeof(float);

    private static int PieceImages(in ConvolutionProblem p)
    {
        var perImage = Math.Max((long)p.C * p.R * p.S * p.P * p.Q, p.WeightShape.Count) * sizeof(float);
        return (int)Math.Clamp(MostBytes / Math.Max(1, perImage), 1, Math.Min(Math.Max(1, p.N), MostImages));
    }

    private static List<Piece> Pieces(in ConvolutionProblem p)
    {
        var images = PieceImages(p);
        var pieces = new List<Piece>((p.N + images - 1) / images);
        for (var first = 0; first < p.N; first += images) pieces.Add(new(first, p with { N = Math.Min(images, p.N - first) }));
        return pieces;
    }

    /// <summary>Some images of a problem.</summary>
    private readonly record struct Piece(int First, ConvolutionProblem Problem);
}
