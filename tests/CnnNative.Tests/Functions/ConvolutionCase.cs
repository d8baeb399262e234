using CnnNative.Engines;
using CnnNative.TestKit;

namespace CnnNative.Tests.Functions;

/// <summary>A convolution with its inputs and the gradient by its output, and what follows from them in one precision.</summary>
internal sealed record ConvolutionCase(ConvolutionProblem Problem, float[] X, float[] W, float[]? B, float[] Dy)
{
    public static ConvolutionCase Of(GoldenCase golden)
    {
        var (x, w) = (golden["x"].Shape, golden["w"].Shape);
        var (stride, padding, dilation) = (golden.Pair("stride"), golden.Pair("padding"), golden.Pair("dilation"));
        var problem = new ConvolutionProblem
        {
            N = x[0], C = x[1], H = x[2], W = x[3], K = w[0], R = w[2], S = w[3],
            PadTop = padding.Height, PadBottom = padding.Height, PadLeft = padding.Width, PadRight = padding.Width,
            StrideH = stride.Height, StrideW = stride.Width, DilationH = dilation.Height, DilationW = dilation.Width,
            Groups = golden.Int("groups"), PaddingMode = Enum.Parse<PaddingMode>(golden.Text("mode"), ignoreCase: true),
        };
        return new(problem, golden["x"].Floats, golden["w"].Floats, golden.Has("b") ? golden["b"].Floats : null, golden["dy"].Floats);
    }

    /// <summary>A problem with random numbers.</summary>
    public static ConvolutionCase Random(ConvolutionProblem problem, Random random, bool bias)
    {
        float[] Numbers(long count) => Array.ConvertAll(new float[count], _ => random.NextSingle() * 2 - 1);
        return new(problem, Numbers(problem.InputShape.Count), Numbers(problem.WeightShape.Count), bias ? Numbers(problem.K) : null, Numbers(problem.OutputShape.Count));
    }

    /// <summary>y, dx, dw, db by definition, in float.</summary>
    public ConvolutionResult<float> InFloat() => Run(X, W, B, Dy);

    /// <summary>y, dx, dw, db by definition, in double.</summary>
    public ConvolutionResult<double> InDouble() => Run(Cast.Double(X), Cast.Double(W), B is null ? null : Cast.Double(B), Cast.Double(Dy));

    /// <summary>y, dx, dw, db by an engine, through the tape.</summary>
    public ConvolutionResult<float> On(Device device, Layout layout)
    {
        using var scope = device.Step();
        var p = Problem;
        var x = Leaf(X, p.InputShape, layout);
        var w = Leaf(W, p.WeightShape, Layout.Nchw);
        var b = B is null ? null : Leaf(B, [p.K], Layout.Nchw);
        var y = Functional.Conv2d(
            x, w, b, (p.StrideH, p.StrideW), (p.PadTop, p.PadBottom, p.PadLeft, p.PadRight), (p.DilationH, p.DilationW), p.Groups, p.PaddingMode);
        if (y.Layout != layout) throw new InvalidOperationException($"y has layout {y.Layout}, expected that of x, {layout}");
        if (y.Shape != p.OutputShape) throw new InvalidOperationException($"y has shape {y.Shape}, expected {p.OutputShape}");
        y.Backward(Tensor.From(Dy, p.OutputShape, device).ToLayout(layout));
        return new(y.ToArray<float>(), x.Grad!.ToArray<float>(), w.Grad!.ToArray<float>(), b?.Grad!.ToArray<float>());

        Tensor Leaf(float[] values, Shape shape, Layout order)
        {
            var leaf = Tensor.From(values, shape, device).ToLayout(order).Detach();
            leaf.RequiresGrad = true;
            return leaf;
        }
    }

    /// <summary>Asserts that an engine's numbers agree with a reference, as well as a naive computation's do.</summary>
    public void Check(ConvolutionResult<float> actual, ConvolutionResult<double> reference, ConvolutionResult<float> naive)
    {
        Agreement.Check(actual.Y, reference.Y, naive.Y, "y");
        Agreement.Check(actual.Dx, reference.Dx, naive.Dx, "dx");
        Agreement.Check(actual.Dw, reference.Dw, naive.Dw, "dw");
        if (reference.Db is null) return;
        // Few filters, whose sums may be far smaller than what they are of.
        Agreement.Check(actual.Db!, reference.Db, naive.Db!, "db", largestTerm: Dy.Select(Math.Abs).Where(float.IsFinite).DefaultIfEmpty(0).Max());
    }

    private ConvolutionResult<T> Run<T>(T[] x, T[] w, T[]? b, T[] dy) where T : System.Numerics.INumber<T> => new(
        NaiveConvolution.Forward(Problem, x, w, b), NaiveConvolution.BackwardData(Problem, dy, w),
        NaiveConvolution.BackwardWeight(Problem, x, dy), b is null ? null : NaiveConvolution.BackwardBias(Problem, dy));
}

/// <summary>Output and gradients.</summary>
internal sealed record ConvolutionResult<T>(T[] Y, T[] Dx, T[] Dw, T[]? Db);
