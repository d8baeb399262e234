using System.Runtime.CompilerServices;
using CnnNative.Layers;
using CnnNative.Optimizers;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Devices;

/// <summary>Memory over a long training: with scopes it is flat, and without any discipline it is bounded.</summary>
[EngineFixtures]
public sealed class LeakTests(EngineUnderTest engine)
{
    private Device Device { get; set; } = null!;

    /// <summary>A device of the test's own: what is forgotten here on purpose is nobody else's leak.</summary>
    [SetUp]
    public void OpenDevice() => Device = engine.Open();

    [TearDown]
    public void CloseDevice() => Device.Dispose();

    [Test]
    public void AThousandStepsInScopesAreFlatFromTheTenthOn()
    {
        var model = Model();
        using var optimizer = new Sgd(model.Parameters(), 0.01f, momentum: 0.9f);
        var (images, labels) = Batch();
        (MemoryStatistics Pool, long Heap) tenth = default;
        for (var step = 1; step <= 1000; step++)
        {
            using (Device.Step())
            {
                var loss = Functional.CrossEntropy(model.Forward(images), labels);
                loss.Backward();
                optimizer.Step();
            }

            if (step == 10) tenth = (Device.Memory.Statistics, GC.GetTotalMemory(forceFullCollection: true));
        }

        var pool = Device.Memory.Statistics;
        Assert.That(pool, Is.EqualTo(tenth.Pool), "pool statistics: no block more, live or cached, none asked of the system, none found by the collector");
        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - tenth.Heap, Is.LessThan(100_000), "managed heap: less than 100 bytes per step");
        Free(model, images, labels);
    }

    [Test]
    public void AUserWithoutUsingNorScopeDoesNotLeak()
    {
        var model = Model();
        using var optimizer = new Sgd(model.Parameters(), 0.01f, momentum: 0.9f);
        var (images, labels) = Batch();
        var before = Device.Memory.Statistics.LiveBytes;
        CarelessSteps(model, optimizer, images, labels);
        optimizer.ZeroGrad();
        Collect();
        var momentum = model.Parameters().Sum(parameter => (parameter.Count * 4 + 511) / 256 * 256);
        var forgotten = Device.Memory.Statistics;
        Assert.That(forgotten.LiveBytes - before, Is.LessThanOrEqualTo(momentum), "after a collection only the optimizer's state is left");
        Assert.That(forgotten.FinalizedBlocks, Is.Positive, "the collector found the rest");
        Free(model, images, labels);
    }

    [Test]
    public void ThePoolCollectsForgottenTensorsByItself()
    {
        // Forty gigabytes in forgotten tensors of 8 MB, which the garbage collector sees as 5,000 small objects.
        for (var i = 0; i < 5000; i++) Forget();
        Assert.That(Device.Memory.Statistics.PeakLiveBytes, Is.LessThan(1L << 30));
        Collect();
        Assert.That(Device.Memory.Statistics.LiveBytes, Is.Zero);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Forget() => _ = Tensor.Empty([2 << 20], device: Device);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CarelessSteps(Module model, Optimizer optimizer, Tensor images, Tensor labels)
    {
        for (var step = 0; step < 200; step++)
        {
            optimizer.ZeroGrad();
            Functional.CrossEntropy(model.Forward(images), labels).Backward();
            optimizer.Step();
        }
    }

    private static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private Sequential Model() => new(
        new Conv2d(1, 4, 3, padding: 1, device: Device), new BatchNorm2d(4, device: Device), new ReLU(), new MaxPool2d(2), new Dropout(0.2f),
        new Flatten(), new Linear(64, 10, device: Device));

    private (Tensor Images, Tensor Labels) Batch() =>
        (Tensor.Normal([8, 1, 8, 8], device: Device), Tensor.From([0L, 1, 2, 3, 4, 5, 6, 7], [8], Device));

    private static void Free(Module model, Tensor images, Tensor labels)
    {
        model.DisposeParameters();
        images.Dispose();
        labels.Dispose();
    }
}
