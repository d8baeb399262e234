using CnnNative.Layers;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Layers;

/// <summary>A chain joins a module and the activation behind it: same bits, fewer tensors.</summary>
[EngineFixtures]
public sealed class SequentialTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static readonly int[] Image = [2, 1, 9, 7];

    [Test]
    public void JoiningAnActivationChangesNoBit([Values] bool training)
    {
        var model = Network();
        try
        {
            var random = new Random(1);
            var x = Enumerable.Range(0, 2 * 9 * 7).Select(_ => random.NextSingle() - 0.5f).ToArray();
            var joined = Run(model, x, training);
            // A hook on every module keeps them apart.
            var hooks = model.NamedModules().Select(entry => entry.Value.OnForward((_, _, _) => { })).ToArray();
            var apart = Run(model, x, training);
            foreach (var hook in hooks) hook.Dispose();
            Assert.That(joined, Is.EqualTo(apart));
        }
        finally
        {
            model.DisposeParameters();
        }
    }

    [Test]
    public void AHookOnEitherSideSeesBothOutputs([Values(0, 1)] int hooked)
    {
        var model = Network();
        try
        {
            using var scope = Device.Inference();
            var seen = new List<float[]>();
            using var hook = model.Children.ElementAt(hooked).Value.OnForward((_, _, y) => seen.Add(y.ToArray<float>()));
            model.Forward(Tensor.Uniform(new Shape(Image), -1f, 1f, Device));
            Assert.That(seen, Has.Count.EqualTo(1));
            Assert.That(seen[0].Min(), hooked == 0 ? Is.LessThan(0f) : Is.EqualTo(0f));
        }
        finally
        {
            model.DisposeParameters();
        }
    }

    [Test]
    public void JoiningMakesNoTensorBetween()
    {
        var model = Network();
        try
        {
            using var scope = Device.Inference();
            var x = Tensor.Uniform(new Shape(Image), -1f, 1f, Device);
            var before = Device.Memory.Statistics.LiveBlocks;
            model.Forward(x);
            // Convolution with ReLU, Linear with Tanh, Linear: three results; Flatten shares memory.
            Assert.That(Device.Memory.Statistics.LiveBlocks - before, Is.EqualTo(3));
        }
        finally
        {
            model.DisposeParameters();
        }
    }

    private Sequential Network() => new(
        new Conv2d(1, 3, 3, device: Device), new ReLU(), new Flatten(), new Linear(105, 6, device: Device), new Tanh(), new Linear(6, 2, device: Device));

    /// <summary>The output, and in training every gradient behind it.</summary>
    private float[] Run(Sequential model, float[] pixels, bool training)
    {
        using var scope = training ? Device.Step() : Device.Inference();
        var y = model.Forward(Tensor.From(pixels, new Shape(Image), Device));
        if (!training) return y.ToArray<float>();
        Functional.Sum(y).Backward();
        return [.. y.ToArray<float>(), .. model.Parameters().SelectMany(parameter => parameter.Grad!.ToArray<float>())];
    }
}
