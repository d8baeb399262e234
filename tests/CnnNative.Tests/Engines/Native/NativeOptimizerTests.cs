using System.Runtime.InteropServices;
using CnnNative.Engines;
using CnnNative.Optimizers;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>
/// Optimisers on the device have the bits of the CPU's, for more parameters than a launch takes; parameters of 16 bits those of the CPU's
/// in Float32, rounded once.
/// </summary>
public sealed class NativeOptimizerTests : NativeTests
{
    private static readonly SgdSettings[] SgdRules =
    [
        new(0.1f, 0f, 0f, 0f, false, false), new(0.1f, 0.9f, 0f, 1e-2f, false, true), new(0.05f, 0.9f, 0.1f, 0f, false, false),
        new(0.05f, 0.9f, 0f, 5e-4f, true, false),
    ];

    [Test]
    public void Sgd([ValueSource(nameof(SgdRules))] SgdSettings settings, [ValueSource(nameof(Types))] DType type) => CompareExactly(device =>
    {
        var slots = new List<SgdSlot>();
        foreach (var (side, state, count, seed) in Parameters(device.Device, type))
            slots.Add(new(Part(side, count, seed), Part(side, count, seed + 1), settings.Momentum == 0f ? null : Part(state, count, seed + 2)));
        device.Device.Engine.Optimizer.Sgd(CollectionsMarshal.AsSpan(slots), settings);
        return [.. Stored(device.Device, type, slots.ConvertAll(slot => slot.Parameter)), .. slots.Select(slot => slot.Momentum).OfType<Tensor>()];
    });

    [Test]
    public void Adam(
        [Values(1, 2, 12345)] int step, [Values(0f, 1e-2f)] float decay, [ValueSource(nameof(Types))] DType type) => CompareExactly(device =>
    {
        var slots = new List<AdamSlot>();
        foreach (var (side, state, count, seed) in Parameters(device.Device, type))
            slots.Add(new(Part(side, count, seed), Part(side, count, seed + 1), Part(state, count, seed + 2), Part(state, count, seed + 3, 0f)));
        device.Device.Engine.Optimizer.Adam(CollectionsMarshal.AsSpan(slots), new(1e-3f, 0.9f, 0.999f, 1e-8f, decay, step));
        return [.. Stored(device.Device, type, slots.ConvertAll(slot => slot.Parameter)), .. slots.SelectMany(slot => (Tensor[])[slot.Mean, slot.Square])];
    });

    [Test]
    public void GradientsOfAllTypesAreClippedTogether([ValueSource(nameof(Types))] DType type)
    {
        using var scope = Device.Step();
        var gradients = new List<Tensor>();
        foreach (var (side, _, count, seed) in Parameters(Device, type)) gradients.Add(Part(side, count, seed));
        var before = gradients.ConvertAll(Side.Read);
        var norm = Tensor.Empty(Shape.Scalar, DType.Float32, Device);
        Device.Engine.Optimizer.GradientNorm(CollectionsMarshal.AsSpan(gradients), NormOrder.Two, norm);
        var exact = Math.Sqrt(before.SelectMany(values => values).Sum(value => (double)value * value));
        Agreement.CheckRounded([norm.Item()], [exact], "norm");
        Device.Engine.Optimizer.ScaleGradients(CollectionsMarshal.AsSpan(gradients), norm, 2f);
        for (var i = 0; i < gradients.Count; i++)
            Agreement.CheckRounded(Side.Read(gradients[i]), Array.ConvertAll(before[i], value => value * 2 / exact), $"gradient {i}", gradients[i].DType);
        var scaled = gradients.ConvertAll(Side.Read);
        Device.Engine.Optimizer.ClampGradients(CollectionsMarshal.AsSpan(gradients), 1f / 256);
        for (var i = 0; i < gradients.Count; i++)
            Assert.That(Side.Read(gradients[i]), Is.EqualTo(Array.ConvertAll(scaled[i], value => Math.Clamp(value, -1f / 256, 1f / 256))), $"gradient {i}");
    }

    /// <summary>What <see cref="CnnNative.Layers.Module.To(DType)"/> says of parameters of 16 bits.</summary>
    [Test]
    public void WhatIsLessThanHalfTheDistanceToTheNextNumberIsLost()
    {
        using var scope = Device.Step();
        var (exact, half) = (Tensor.Ones([3], Device), Tensor.Ones([3], Device).To(DType.BFloat16));
        (exact.RequiresGrad, half.RequiresGrad) = (true, true);
        using var optimizer = new Sgd([exact, half], learningRate: 1f / 1024);
        Functional.Sum(exact).Backward();
        Functional.Sum(half).Backward();
        for (var i = 0; i < 64; i++) optimizer.Step();
        Assert.That(Side.Read(exact), Is.All.EqualTo(1 - 64f / 1024));
        Assert.That(Side.Read(half), Is.All.EqualTo(1f), "the next number is 1 - 1/256");
    }

    [Test]
    public void ParametersGradientsAndStatesOfWrongTypesAreRefused()
    {
        using var scope = Device.Step();
        Tensor single = Tensor.Ones([3], Device), half = Tensor.Ones([3], Device).To(DType.BFloat16), integers = Tensor.From([1L], [1], Device);
        var settings = new SgdSettings(0.1f, 0.9f, 0f, 0f, false, false);
        var engine = Device.Engine.Optimizer;
        Assert.That(() => engine.Sgd([new(half, single, single)], settings), Throws.TypeOf<DTypeException>().With.Message.Contains("Sgd: the gradient"));
        Assert.That(() => engine.Sgd([new(half, half, half)], settings), Throws.TypeOf<DTypeException>().With.Message.Contains("the state"));
        Assert.That(() => new Sgd([integers], 0.1f), Throws.TypeOf<EngineNotSupportedException>().With.Message.Contains("Int64"));
        Assert.That(Side.Read(half), Is.All.EqualTo(1f));
    }

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

    /// <summary>
    /// Empty, small, of several blocks, and more than a launch takes; each third is Float32 whatever the others are. States are Float32.
    /// </summary>
    private static IEnumerable<(Side Side, Side State, int Count, int Seed)> Parameters(Device device, DType type) =>
        ((int[])[0, 1, 443, 4096, 9001, 4099, 520, .. Enumerable.Repeat(7, 300)]).Select((count, i) =>
            (new Side(device, TypeOf(i, type)), new Side(device, DType.Float32), count, 10 * i));

    private static DType TypeOf(int parameter, DType type) => parameter % 3 == 0 ? DType.Float32 : type;

    /// <summary>The parameters as they are in memory: the CPU, which has Float32, rounds them here.</summary>
    private static IEnumerable<Tensor> Stored(Device device, DType type, List<Tensor> parameters) =>
        parameters.Select((parameter, i) => new Side(device, TypeOf(i, type)).Of(Side.Read(parameter), parameter.Shape));

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
