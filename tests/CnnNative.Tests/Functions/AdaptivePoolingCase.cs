using CnnNative.Engines;
using CnnNative.TestKit;

namespace CnnNative.Tests.Functions;

/// <summary>An adaptive average pooling with its input and the gradient by its output, and what follows from them.</summary>
internal sealed record AdaptivePoolingCase(AdaptivePoolingProblem Problem, float[] X, float[] Dy)
{
    public static AdaptivePoolingCase Of(GoldenCase golden)
    {
        var (x, (p, q)) = (golden["x"].Shape, golden.Pair("output"));
        return new(new() { N = x[0], C = x[1], H = x[2], W = x[3], P = p, Q = q }, golden["x"].Floats, golden["dy"].Floats);
    }

    /// <summary>y and dx by definition, in float.</summary>
    public (float[] Y, float[] Dx) InFloat() => (NaiveAdaptivePooling.Forward(Problem, X), NaiveAdaptivePooling.Backward(Problem, Dy));

    /// <summary>y and dx by definition, in double.</summary>
    public (double[] Y, double[] Dx) InDouble() =>
        (NaiveAdaptivePooling.Forward(Problem, Cast.Double(X)), NaiveAdaptivePooling.Backward(Problem, Cast.Double(Dy)));

    /// <summary>y and dx by an engine, through the tape.</summary>
    public (float[] Y, float[] Dx) On(Device device, Layout layout)
    {
        using var scope = device.Step();
        var x = Tensor.From(X, Problem.InputShape, device).ToLayout(layout).Detach();
        x.RequiresGrad = true;
        var y = Problem is { P: 1, Q: 1 } ? Functional.GlobalAvgPool2d(x) : Functional.AdaptiveAvgPool2d(x, (Problem.P, Problem.Q));
        if (y.Layout != layout) throw new InvalidOperationException($"y has layout {y.Layout}, expected that of x, {layout}");
        y.Backward(Tensor.From(Dy, y.Shape, device).ToLayout(layout));
        return (y.ToArray<float>(), x.Grad!.ToArray<float>());
    }
}
