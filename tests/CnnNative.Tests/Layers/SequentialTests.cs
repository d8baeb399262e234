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
            // Convolution with ReLU, normalisation with ReLU6 and its two statistics, Linear with Tanh, Linear; Flatten shares memory.
            Assert.That(Device.Memory.Statistics.LiveBlocks - before, Is.EqualTo(6));
        }
        finally
        {
            model.DisposeParameters();
        }
    }

    /// <summary>A residual block's sum and activation join the batch normalisation at the end of its body.</summary>
    [Test]
    public void AResidualBlockEndsInOneOperation([Values] bool training)
    {
        var body = new Sequential(new Conv2d(1, 1, 3, padding: 1, bias: false, device: Device), new BatchNorm2d(1, device: Device));
        var model = new Sequential(new Residual(body), new ReLU());
        model.Train(training);
        try
        {
            using var scope = Device.Inference();
            var x = Tensor.Uniform(new Shape(Image), -1f, 1f, Device);
            var apart = Functional.Relu(Functional.Add(body.Forward(x), x)).ToArray<float>();
            var before = Device.Memory.Statistics.LiveBlocks;
            var joined = model.Forward(x);
            // The convolution's result and the block's; training adds the two statistics.
            Assert.That(Device.Memory.Statistics.LiveBlocks - before, Is.EqualTo(training ? 4 : 2));
            Assert.That(joined.ToArray<float>(), Is.EqualTo(apart));
        }
        finally
        {
            model.DisposeParameters();
        }
    }

    private Sequential Network() => new(
        new Conv2d(1, 3, 3, device: Device), new ReLU(), new BatchNorm2d(3, device: Device), new ReLU6(), new Flatten(), new Linear(105, 6, device: Device), new Tanh(), new Linear(6, 2, device: Device));

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
