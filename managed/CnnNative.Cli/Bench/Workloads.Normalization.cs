using CnnNative.Engines;

namespace CnnNative.Cli.Bench;

/// <content>Batch normalisation, alone and with what follows it.</content>
internal sealed partial class Workloads
{
    private IEnumerable<Workload> BatchNorm(NormShape s, int n)
    {
        Shape shape = [n, s.C, s.H, s.W], channels = [s.C];
        double pass = size * shape.Count;
        const float eps = 1e-5f;
        // x is read twice, for the statistics and for the map, unless it stays on the chip.
        yield return Make($"{s.Name} forward", 3 * pass, 0, device =>
        {
            var (x, y, gamma, beta) = (Random(shape, device), Empty(shape, device), Parameter(channels, device), Parameter(channels, device));
            var (mean, deviation) = (Statistics(channels, device), Statistics(channels, device));
            return new(y, () => device.Engine.Normalization.BatchForward(x, gamma, beta, eps, y, mean, deviation), x, gamma, beta, mean, deviation);
        });
        yield return Make($"{s.Name} backward", 5 * pass, 0, device =>
        {
            var (x, dy, dx, gamma) = (Random(shape, device), Random(shape, device), Empty(shape, device), Parameter(channels, device));
            var (mean, deviation) = (Parameter(channels, device), Tensor.Ones(channels, device));
            var (dgamma, dbeta) = (Statistics(channels, device), Statistics(channels, device));
            return new(
                dx, () => device.Engine.Normalization.BatchBackward(x, dy, gamma, mean, deviation, batchStatistics: true, dx, dgamma, dbeta),
                x, dy, gamma, mean, deviation, dgamma, dbeta);
        });
        yield return Make($"{s.Name} inference", 2 * pass, 0, device =>
        {
            var (x, y, mean, variance) = (Random(shape, device), Empty(shape, device), Parameter(channels, device), Tensor.Ones(channels, device));
            return new(y, () => device.Engine.Normalization.BatchInference(x, null, null, eps, mean, variance, y), x, mean, variance);
        });
        // The residual is read too; the backward pass also writes its gradient, and reads a bit per element that the forward pass records.
        yield return Make($"{s.Name} add ReLU forward", 4 * pass, 0, device =>
        {
            var (x, residual, y) = (Random(shape, device), Random(shape, device), Empty(shape, device));
            var (mean, deviation) = (Statistics(channels, device), Statistics(channels, device));
            var tail = new BatchNormTail(residual, ActivationKind.Relu, ForGradient: true);
            return new(y, () => device.Engine.Normalization.BatchForward(x, null, null, eps, y, mean, deviation, tail)?.Dispose(), x, residual, mean, deviation);
        });
        yield return Make($"{s.Name} add ReLU backward", 6 * pass, 0, device =>
        {
            var (x, residual, y, dy, dx, dresidual) = (Random(shape, device), Random(shape, device), Empty(shape, device), Random(shape, device), Empty(shape, device), Empty(shape, device));
            var (mean, deviation, dgamma, dbeta) = (Statistics(channels, device), Statistics(channels, device), Statistics(channels, device), Statistics(channels, device));
            var tail = new BatchNormTail(residual, ActivationKind.Relu, ForGradient: true);
            var decisions = device.Engine.Normalization.BatchForward(x, null, null, eps, y, mean, deviation, tail);
            var gate = new BatchNormGate(ActivationKind.Relu, null, decisions, dresidual);
            return new(
                dx, () => device.Engine.Normalization.BatchBackward(x, dy, null, mean, deviation, batchStatistics: true, dx, dgamma, dbeta, gate),
                x, residual, y, dy, dresidual, mean, deviation, dgamma, dbeta, decisions!);
        });
    }
}
