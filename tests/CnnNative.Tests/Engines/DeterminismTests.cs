using CnnNative.Layers;
using CnnNative.Optimizers;
using NUnit.Framework;

namespace CnnNative.Tests.Engines;

/// <summary>The same seed gives the same bits, on any number of threads.</summary>
public sealed class DeterminismTests
{
    private static readonly Lazy<float[]> OneThread = new(() => Train(1, seed: 7));

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(8)]
    public void TrainingIsTheSameBitForBitOnAnyNumberOfThreads(int threads)
    {
        var trained = Train(threads, seed: 7);
        Assert.That(trained, Has.All.Matches<float>(float.IsFinite));
        Assert.That(trained.Select(BitConverter.SingleToInt32Bits), Is.EqualTo(OneThread.Value.Select(BitConverter.SingleToInt32Bits)));
    }

    [Test]
    public void AnotherSeedGivesOtherNumbers() => Assert.That(Train(2, seed: 8), Is.Not.EqualTo(OneThread.Value));

    [Test]
    public void SumsDoNotDependOnThreads()
    {
        var sums = Enumerable.Range(1, 4).Select(threads =>
        {
            using var device = new CpuDevice(threads);
            using var scope = device.Step();
            return Functional.Sum(Tensor.Normal([1_000_003], device: device)).Item();
        });
        Assert.That(sums.Distinct().Count(), Is.EqualTo(1));
    }

    /// <summary>Weights, running statistics and losses after a few steps of a net with every kind of layer.</summary>
    private static float[] Train(int threads, ulong seed)
    {
        using var device = new CpuDevice(threads);
        device.Random.Seed = seed;
        var model = new Sequential(
            new Conv2d(3, 16, 3, padding: 1, device: device), new BatchNorm2d(16, device: device), new ReLU(), new MaxPool2d(2),
            new Conv2d(16, 16, 3, padding: 1, groups: 16, device: device), new Conv2d(16, 24, 1, device: device), new ReLU(), new Dropout2d(0.1f),
            new AvgPool2d(3, 2, 1), new Conv2d(24, 12, (3, 2), stride: 2, padding: 1, groups: 4, device: device), new Tanh(),
            new AdaptiveAvgPool2d((2, 3)), new Flatten(), new Dropout(0.3f), new LazyLinear(10, device: device));
        Tensor images, labels;
        using (Scope.Unowned())
        {
            images = Tensor.Normal([19, 3, 22, 26], device: device);
            labels = Tensor.From([.. Enumerable.Range(0, 19).Select(i => i % 10L)], [19], device);
        }

        using (device.Inference()) model.Forward(images);
        using var optimizer = new Adam(model.Parameters(), 0.01f);
        var results = new List<float>();
        for (var step = 0; step < 4; step++)
        {
            using var scope = device.Step();
            var loss = Functional.CrossEntropy(model.Forward(images), labels, labelSmoothing: 0.1f);
            loss.Backward();
            optimizer.Step();
            results.Add(loss.Item());
        }

        foreach (var tensor in model.StateDict().Values)
        {
            if (tensor.DType == DType.Float32) results.AddRange(tensor.ToArray<float>());
        }

        model.DisposeParameters();
        images.Dispose();
        labels.Dispose();
        return [.. results];
    }
}
