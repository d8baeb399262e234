using System.Numerics;
using CnnNative.Engines;
using CnnNative.TestKit;

namespace CnnNative.Tests.Functions;

/// <summary>A pooling with its input and the gradient by its output, and what follows from them.</summary>
internal sealed record PoolingCase(PoolingProblem Problem, bool Maximum, float[] X, float[] Dy)
{
    public static PoolingCase Of(GoldenCase golden)
    {
        var x = golden["x"].Shape;
        var (window, stride, padding) = (golden.Pair("window"), golden.Pair("stride"), golden.Pair("padding"));
        var maximum = golden.Text("kind") == "max";
        var (dilationH, dilationW) = maximum ? golden.Pair("dilation") : (1, 1);
        var problem = new PoolingProblem
        {
            N = x[0], C = x[1], H = x[2], W = x[3], R = window.Height, S = window.Width,
            PadH = padding.Height, PadW = padding.Width, StrideH = stride.Height, StrideW = stride.Width,
            DilationH = dilationH, DilationW = dilationW, CeilMode = golden.Bool("ceil"), CountIncludePad = golden.Bool("count_include_pad"),
        };
        return new(problem, maximum, golden["x"].Floats, golden["dy"].Floats);
    }

    /// <summary>y and dx by definition, in float.</summary>
    public (float[] Y, float[] Dx) InFloat() => Run(X, Dy);

    /// <summary>y and dx by definition, in double.</summary>
    public (double[] Y, double[] Dx) InDouble() => Run(Cast.Double(X), Cast.Double(Dy));

    /// <summary>y and dx by an engine, through the tape.</summary>
    public (float[] Y, float[] Dx) On(Device device, Layout layout)
    {
        using var scope = device.Step();
        var p = Problem;
        var x = Tensor.From(X, p.InputShape, device).ToLayout(layout).Detach();
        x.RequiresGrad = true;
        var y = Maximum
            ? Functional.MaxPool2d(x, (p.R, p.S), (p.StrideH, p.StrideW), (p.PadH, p.PadW), (p.DilationH, p.DilationW), p.CeilMode)
            : Functional.AvgPool2d(x, (p.R, p.S), (p.StrideH, p.StrideW), (p.PadH, p.PadW), p.CeilMode, p.CountIncludePad);
        if (y.Layout != layout) throw new InvalidOperationException($"y has layout {y.Layout}, expected that of x, {layout}");
        y.Backward(Tensor.From(Dy, y.Shape, device).ToLayout(layout));
        return (y.ToArray<float>(), x.Grad!.ToArray<float>());
    }

    private (T[] Y, T[] Dx) Run<T>(T[] x, T[] dy) where T : INumber<T>
    {
        if (!Maximum) return (NaivePooling.Average(Problem, x), NaivePooling.AverageBackward(Problem, dy));
        var maxima = NaivePooling.Maxima(Problem, x);
        var dx = new T[x.Length];
        for (var i = 0; i < dy.Length; i++) dx[maxima[i]] += dy[i];
        return (Array.ConvertAll(maxima, i => x[i]), dx);
    }
}
