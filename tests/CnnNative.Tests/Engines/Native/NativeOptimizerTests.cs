using System.Runtime.InteropServices;
using CnnNative.Engines;
using CnnNative.Optimizers;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Optimisers on the device have the bits of the CPU's, for more parameters than a launch takes.</summary>
public sealed class NativeOptimizerTests : NativeTests
{
    private static readonly SgdSettings[] SgdRules =
    [
        new(0.1f, 0f, 0f, 0f, false, false), new(0.1f, 0.9f, 0f, 1e-2f, false, true), new(0.05f, 0.9f, 0.1f, 0f, false, false),
        new(0.05f, 0.9f, 0f, 5e-4f, true, false),
    ];

    [TestCaseSource(nameof(SgdRules))]
    public void Sgd(SgdSettings settings) => CompareExactly(side =>
    {
        var slots = new List<SgdSlot>();
        foreach (var (count, seed) in Parameters())
            slots.Add(new(Part(side, count, seed), Part(side, count, seed + 1), settings.Momentum == 0f ? null : Part(side, count, seed + 2)));
        side.Device.Engine.Optimizer.Sgd(CollectionsMarshal.AsSpan(slots), settings);
        return [.. slots.SelectMany(slot => slot.Momentum is null ? [slot.Parameter] : (Tensor[])[slot.Parameter, slot.Momentum])];
    });

    [TestCase(1, 0f)]
    [TestCase(2, 1e-2f)]
    [TestCase(12345, 0f)]
    public void Adam(int step, float decay) => CompareExactly(side =>
    {
        var slots = new List<AdamSlot>();
        foreach (var (count, seed) in Parameters())
            slots.Add(new(Part(side, count, seed), Part(side, count, seed + 1), Part(side, count, seed + 2), Part(side, count, seed + 3, 0f)));
        side.Device.Engine.Optimizer.Adam(CollectionsMarshal.AsSpan(slots), new(1e-3f, 0.9f, 0.999f, 1e-8f, decay, step));
        return [.. slots.SelectMany(slot => (Tensor[])[slot.Parameter, slot.Mean, slot.Square])];
    });

    private static readonly Func<Tensor, Optimizer>[] Optimizers =
        [w => new Sgd([w], learningRate: 0.1f, momentum: 0.9f), w => new Adam([w], learningRate: 0.1f)];

    /// <summary>Learning rate and number of the step go on from replay to replay: the bits of steps that were not captured.</summary>
    [Test]
    public void AReplayedStepGoesOnCounting([Values(0, 1)] int kind)
    {
        var side = new Side(Device, DType.Float32);
        using var w = side.Of(Random(50, 1), [50]);
        using var other = side.Of(Random(50, 1), [50]);
        using var slope = side.Of(Random(50, 2), [50]);
        (w.RequiresGrad, other.RequiresGrad) = (true, true);
        using Optimizer captured = Optimizers[kind](w), direct = Optimizers[kind](other);
        // Capture runs the step once.
        using var step = Cuda.Capture(() => Step(w, captured));
        Direct();
        for (var replay = 0; replay < 3; replay++)
        {
            captured.LearningRate = direct.LearningRate = 0.1f / (replay + 1);
            step.Replay();
            Direct();
            Assert.That(w.ToArray<float>(), Is.EqualTo(other.ToArray<float>()), $"replay {replay}");
        }

        void Direct()
        {
            using var scope = Device.Step();
            Step(other, direct);
        }

        void Step(Tensor parameter, Optimizer optimizer)
        {
            optimizer.ZeroGrad();
            Functional.Sum(Functional.Multiply(parameter, slope)).Backward();
            optimizer.Step();
        }
    }

    /// <summary>Empty, small, of several blocks, and more than a launch takes.</summary>
    private static IEnumerable<(int Count, int Seed)> Parameters() =>
        ((int[])[0, 1, 443, 4096, 9001, .. Enumerable.Repeat(7, 200)]).Select((count, i) => (count, 10 * i));

    /// <summary>Every other parameter is a view that does not start at a multiple of 16 bytes.</summary>
    private static Tensor Part(Side side, int count, int seed, float low = -1f)
    {
        var odd = seed / 10 % 2;
        return side.Of(Random(count + odd, seed, low, 1f), [count + odd]).View([count], odd);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void TheHostsPartOfAStepAllocatesNothing(bool adam)
    {
        using var scope = Device.Step();
        var parameter = Tensor.Ones([5], Device);
        parameter.RequiresGrad = true;
        parameter.Backward(Tensor.Ones([5], Device));
        using Optimizer optimizer = adam ? new Adam([parameter]) : new Sgd([parameter], 0.1f, momentum: 0.9f);
        for (var i = 0; i < 3; i++) optimizer.Step();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++) optimizer.Step();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero, "bytes in ten steps");
    }
}
