using CnnNative.Layers;
using CnnNative.Optimizers;
using CnnNative.Serialization;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Optimizers;

/// <summary>State that is saved and restored, memory, and settings that make no sense.</summary>
[EngineFixtures]
public sealed class OptimizerTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static readonly Func<IEnumerable<Tensor>, Optimizer>[] Makers =
    [
        parameters => new Sgd(parameters, 0.05f, momentum: 0.9f, weightDecay: 0.01f, nesterov: true),
        parameters => new Adam(parameters, 0.01f, weightDecay: 0.01f),
    ];

    [TestCase(0)]
    [TestCase(1)]
    public void TrainingResumesBitForBitFromAFile(int maker)
    {
        var path = Path.GetTempFileName();
        var (whole, resumed) = (Model(), Model());
        try
        {
            using var optimizer = Makers[maker](whole.Parameters());
            Steps(whole, optimizer, 0, 3);
            Dictionary<string, Tensor> state = [];
            foreach (var (key, tensor) in whole.StateDict()) state.Add("model." + key, tensor);
            foreach (var (key, tensor) in optimizer.StateDict()) state.Add("optimizer." + key, tensor);
            Safetensors.Write(path, state);
            Steps(whole, optimizer, 3, 6);

            using var other = Makers[maker](resumed.Parameters());
            using (var file = Safetensors.Read(path, Device))
            {
                resumed.LoadStateDict(Part(file, "model."));
                other.LoadStateDict(Part(file, "optimizer."));
            }

            Steps(resumed, other, 3, 6);
            foreach (var (key, tensor) in whole.StateDict())
            {
                if (tensor.DType == DType.Float32) Assert.That(resumed.StateDict()[key].ToArray<float>(), Is.EqualTo(tensor.ToArray<float>()), key);
                else Assert.That(resumed.StateDict()[key].ToArray<long>(), Is.EqualTo(tensor.ToArray<long>()), key);
            }
        }
        finally
        {
            File.Delete(path);
            whole.DisposeParameters();
            resumed.DisposeParameters();
        }
    }

    [Test]
    public void AStateOfAnotherOptimizerIsRefused()
    {
        using var scope = Device.Step();
        var parameter = Leaf(1, 2);
        using var sgd = new Sgd([parameter], 0.1f, momentum: 0.9f);
        Assert.That(() => sgd.LoadStateDict(new Dictionary<string, Tensor> { ["0.mean"] = Leaf(1, 2) }), Throws.InstanceOf<StateDictException>().With.Message.Contains("0.mean"));
        Assert.That(() => sgd.LoadStateDict(new Dictionary<string, Tensor> { ["1.momentum"] = Leaf(1, 2) }), Throws.InstanceOf<StateDictException>().With.Message.Contains("1.momentum"));
        Assert.That(() => sgd.LoadStateDict(new Dictionary<string, Tensor> { ["0.momentum"] = Leaf(1, 2, 3) }), Throws.InstanceOf<StateDictException>().With.Message.Contains("(3)"));
        Assert.That(() => sgd.LoadStateDict(new Dictionary<string, Tensor> { ["momentum"] = Leaf(1, 2) }), Throws.InstanceOf<StateDictException>());
        using var adam = new Adam([parameter]);
        Assert.That(() => adam.LoadStateDict(new Dictionary<string, Tensor> { ["0.momentum"] = Leaf(1, 2) }), Throws.InstanceOf<StateDictException>());
    }

    [Test]
    public void SettingsThatMakeNoSenseAreRefused()
    {
        using var scope = Device.Step();
        Tensor[] parameters = [Leaf(1)];
        Assert.That(() => new Sgd([], 0.1f), Throws.ArgumentException);
        Assert.That(() => new Sgd(parameters, -0.1f), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Sgd(parameters, float.NaN), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Sgd(parameters, 0.1f, momentum: -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Sgd(parameters, 0.1f, weightDecay: -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Sgd(parameters, 0.1f, nesterov: true), Throws.ArgumentException.With.Message.Contains("Nesterov"));
        Assert.That(() => new Sgd(parameters, 0.1f, momentum: 0.9f, dampening: 0.1f, nesterov: true), Throws.ArgumentException);
        Assert.That(() => new Adam(parameters, beta1: 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Adam(parameters, beta2: -0.1f), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new Adam(parameters, eps: -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void TheLearningRateMayChangeBetweenSteps()
    {
        using var scope = Device.Step();
        var x = Leaf(0);
        using var optimizer = new Sgd([x], 1);
        Functional.Sum(x).Backward();
        optimizer.Step();
        optimizer.LearningRate = 0.5f;
        optimizer.Step();
        Assert.That(x.Item(), Is.EqualTo(-1.5f));
        optimizer.ZeroGrad();
        optimizer.Step();
        Assert.That(x.Item(), Is.EqualTo(-1.5f), "no gradient, no step");
    }

    [Test]
    public void ADisposedOptimizerHoldsNoMemory()
    {
        using var scope = Device.Step();
        var x = Leaf(1, 2);
        Functional.Sum(x).Backward();
        var before = Device.Memory.Statistics.LiveBlocks;
        var optimizer = new Adam([x]);
        optimizer.Step();
        Assert.That(Device.Memory.Statistics.LiveBlocks, Is.GreaterThan(before));
        optimizer.Dispose();
        Assert.That(Device.Memory.Statistics.LiveBlocks, Is.EqualTo(before));
    }

    private Sequential Model()
    {
        Device.Random.Seed = 4;
        return new Sequential(new Linear(6, 8, device: Device), new BatchNorm1d(8, device: Device), new ReLU(), new Linear(8, 3, device: Device));
    }

    /// <summary>Steps on inputs that depend on the step's number alone.</summary>
    private void Steps(Module model, Optimizer optimizer, int first, int last)
    {
        for (var step = first; step < last; step++)
        {
            using var scope = Device.Step();
            Device.Random.Seed = (ulong)(100 + step);
            var x = Tensor.Normal([5, 6], device: Device);
            Functional.CrossEntropy(model.Forward(x), Tensor.From([0L, 1, 2, 0, 1], [5], Device)).Backward();
            optimizer.Step();
        }
    }

    private static Dictionary<string, Tensor> Part(SafetensorsFile file, string prefix) =>
        file.Tensors.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value);

    private Tensor Leaf(params float[] values)
    {
        var leaf = Tensor.From(values, [values.Length], Device);
        leaf.RequiresGrad = true;
        return leaf;
    }
}
