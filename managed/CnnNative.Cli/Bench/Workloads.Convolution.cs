using CnnNative.Engines;

namespace CnnNative.Cli.Bench;

/// <content>Convolutions: every pass, and what is fused to the forward one.</content>
internal sealed partial class Workloads
{
    private IEnumerable<Workload> Convolution(ConvolutionShape s, int n)
    {
        var problem = new ConvolutionProblem
        {
            N = n, C = s.C, H = s.H, W = s.W, K = s.K, R = s.R, S = s.S, Groups = s.Groups, StrideH = s.Stride, StrideW = s.Stride,
            DilationH = 1, DilationW = 1, PadTop = s.Pad, PadBottom = s.Pad, PadLeft = s.Pad, PadRight = s.Pad,
        };
        double bytes = size * (problem.InputShape.Count + problem.WeightShape.Count + problem.OutputShape.Count), work = 2.0 * problem.MultiplyAdds;
        yield return Make($"{s.Name} forward", bytes, work, device =>
        {
            var (x, w, y) = (Random(problem.InputShape, device), Random(problem.WeightShape, device), Empty(problem.OutputShape, device));
            return new(y, () => device.Engine.Convolution.Forward(problem, x, w, null, ActivationKind.Identity, y), x, w);
        });
        yield return Make($"{s.Name} dgrad", bytes, work, device =>
        {
            var (dy, w, dx) = (Random(problem.OutputShape, device), Random(problem.WeightShape, device), Empty(problem.InputShape, device));
            return new(dx, () => device.Engine.Convolution.BackwardData(problem, dy, w, dx), dy, w);
        });
        yield return Make($"{s.Name} wgrad", bytes, work, device =>
        {
            var (x, dy, dw) = (Random(problem.InputShape, device), Random(problem.OutputShape, device), Empty(problem.WeightShape, device));
            return new(dw, () => device.Engine.Convolution.BackwardWeight(problem, x, dy, dw), x, dy);
        });
        yield return Make($"{s.Name} with bias and ReLU", bytes, work, device =>
        {
            var (x, w, bias, y) = (Random(problem.InputShape, device), Random(problem.WeightShape, device), Random([s.K], device), Empty(problem.OutputShape, device));
            return new(y, () => device.Engine.Convolution.Forward(problem, x, w, bias, ActivationKind.Relu, y), x, w, bias);
        });
        yield return Make($"{s.Name} bias gradient", size * problem.OutputShape.Count, 0, device =>
        {
            var (dy, db) = (Random(problem.OutputShape, device), Empty([s.K], device));
            return new(db, () => device.Engine.Convolution.BackwardBias(dy, db), dy);
        });
    }
}
