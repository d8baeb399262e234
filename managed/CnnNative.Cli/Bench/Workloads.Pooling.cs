using CnnNative.Engines;

namespace CnnNative.Cli.Bench;

/// <content>Pooling: the largest and the average.</content>
internal sealed partial class Workloads
{
    private IEnumerable<Workload> Pool(PoolShape s, int n)
    {
        var problem = new PoolingProblem
        {
            N = n, C = s.C, H = s.H, W = s.W, R = s.R, S = s.R, StrideH = s.Stride, StrideW = s.Stride, PadH = s.Pad, PadW = s.Pad, DilationH = 1, DilationW = 1,
        };
        double bytes = size * problem.InputShape.Count + (size + 1) * problem.OutputShape.Count;
        yield return Make($"max {s.Name} forward", bytes, 0, device =>
        {
            var (x, y, places) = (Random(problem.InputShape, device), Empty(problem.OutputShape, device), Places(problem.OutputShape, problem.ArgumentType, device));
            return new(y, () => device.Engine.Pooling.MaxForward(problem, x, y, places), x, places);
        });
        yield return Make($"max {s.Name} backward", bytes, 0, device =>
        {
            var (x, y, places) = (Random(problem.InputShape, device), Empty(problem.OutputShape, device), Places(problem.OutputShape, problem.ArgumentType, device));
            var (dy, dx) = (Random(problem.OutputShape, device), Empty(problem.InputShape, device));
            device.Engine.Pooling.MaxForward(problem, x, y, places);
            return new(dx, () => device.Engine.Pooling.MaxBackward(problem, dy, places, dx), x, y, places, dy);
        });
        double averaged = size * (problem.InputShape.Count + problem.OutputShape.Count);
        yield return Make($"average {s.Name} forward", averaged, 0, device =>
        {
            var (x, y) = (Random(problem.InputShape, device), Empty(problem.OutputShape, device));
            return new(y, () => device.Engine.Pooling.AverageForward(problem, x, y), x);
        });
        yield return Make($"average {s.Name} backward", averaged, 0, device =>
        {
            var (dy, dx) = (Random(problem.OutputShape, device), Empty(problem.InputShape, device));
            return new(dx, () => device.Engine.Pooling.AverageBackward(problem, dy, dx), dy);
        });
    }

    private IEnumerable<Workload> AdaptiveAveragePool(AdaptivePoolShape s, int n)
    {
        var problem = new AdaptivePoolingProblem { N = n, C = s.C, H = s.H, W = s.W, P = s.P, Q = s.Q };
        double bytes = size * (problem.InputShape.Count + problem.OutputShape.Count);
        yield return Make($"{s.Name} forward", bytes, 0, device =>
        {
            var (x, y) = (Random(problem.InputShape, device), Empty(problem.OutputShape, device));
            return new(y, () => device.Engine.Pooling.AdaptiveAverageForward(problem, x, y), x);
        });
        yield return Make($"{s.Name} backward", bytes, 0, device =>
        {
            var (dy, dx) = (Random(problem.OutputShape, device), Empty(problem.InputShape, device));
            return new(dx, () => device.Engine.Pooling.AdaptiveAverageBackward(problem, dy, dx), dy);
        });
    }
}
