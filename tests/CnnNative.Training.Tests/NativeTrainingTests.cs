using CnnNative.Interop;
using CnnNative.TestKit;
using CnnNative.Vision;
using CnnNative.Vision.Datasets;
using CnnNative.Vision.Models;
using NUnit.Framework;

namespace CnnNative.Training.Tests;

/// <summary>LeNet-5 and MyCNN learn on the native engine as they do on the CPU, eager and captured.</summary>
[TestFixture]
public sealed class NativeTrainingTests
{
    private const int Batch = 4, LaunchBatch = 16;

    [TestCase("lenet5", OptimizerKind.Sgd, 20)]
    [TestCase("mycnn", OptimizerKind.Adam, 4)]
    public void The_loss_goes_the_same_way_on_every_engine(string model, OptimizerKind kind, int steps)
    {
        var optimizer = new OptimizerSettings(kind, kind == OptimizerKind.Sgd ? 0.05f : 0.001f, kind == OptimizerKind.Sgd ? 0.9f : 0f, 0f, 0.002f);
        using var cpu = new CpuDevice(1);
        var expected = Losses(cpu, model, optimizer, steps, captured: false);
        float[] eager, replayed;
        using (var gpu = CudaUnderTest.Open())
        {
            eager = Losses(gpu, model, optimizer, steps, captured: false);
            replayed = Losses(gpu, model, optimizer, steps, captured: true);
        }

        Assert.That(replayed, Is.EqualTo(eager), "a captured step does what the eager one does, bit for bit");
        for (var step = 0; step < steps; step++)
            Assert.That(Math.Abs(eager[step] - expected[step]), Is.LessThanOrEqualTo(1e-4f * Math.Max(1f, Math.Abs(expected[step]))), $"step {step + 1}: {eager[step]}, CPU {expected[step]}");
    }

    /// <summary>A network this small is bound by the starts of kernels: a launch that comes back costs more than most of what a kernel could save.</summary>
    [Test]
    public void A_step_of_LeNet_5_is_few_launches()
    {
        if (!Emulator.IsUsed) Assert.Ignore("a GPU has no such counters");
        using var device = CudaUnderTest.Open();
        var data = GeneratedDigits.Create(Split.Train, count: 2 * LaunchBatch);
        var model = ModelCatalog.Create("lenet5", data.ImageShape, data.ClassCount, device);
        using var optimizer = new OptimizerSettings(OptimizerKind.Sgd, 0.05f, 0.9f, 0f, 0.002f).Create(model.Parameters());
        using var step = new TrainingStep(model, optimizer, LaunchBatch, data.ClassCount, isCaptured: true);
        // The first batch captures, the second one replays.
        foreach (var (images, labels) in new DataLoader(data, LaunchBatch, device))
        {
            using var scope = device.Step();
            EmulatedCounters.Reset();
            step.Run(images, labels);
            device.Synchronize();
        }

        Assert.That(EmulatedCounters.Total().Launches, Is.LessThanOrEqualTo(32UL), "forward, loss, backward, optimizer and copies of the results");
        model.DisposeParameters();
    }

    private static float[] Losses(Device device, string name, OptimizerSettings settings, int steps, bool captured)
    {
        device.Random.Seed = 3;
        var data = GeneratedDigits.Create(Split.Train, count: Batch * steps);
        var model = ModelCatalog.Create(name, data.ImageShape, data.ClassCount, device);
        using var optimizer = settings.Create(model.Parameters());
        using var step = new TrainingStep(model, optimizer, Batch, data.ClassCount, captured);
        var losses = new List<float>();
        foreach (var (images, labels) in new DataLoader(data, Batch, device))
        {
            using var scope = device.Step();
            losses.Add(step.Run(images, labels).Loss.Item());
        }

        model.DisposeParameters();
        return [.. losses];
    }
}
