using CnnNative.Layers;
using CnnNative.TestKit;
using CnnNative.Tests.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Layers;

/// <summary>Names, state dictionaries, modes, hooks and lazy layers.</summary>
[EngineFixtures]
public sealed class ModuleTests(EngineUnderTest engine) : EngineTests(engine)
{
    private readonly List<Module> made = [];

    [TearDown]
    public void FreeModels()
    {
        foreach (var module in made) module.DisposeParameters();
        made.Clear();
    }

    [Test]
    public void StateDictHasPyTorchsKeysInPyTorchsOrder()
    {
        var inner = new Sequential(new Linear(4, 3, device: Device), new BatchNorm1d(3, device: Device));
        var model = Made(new Sequential(new Conv2d(1, 2, 3, bias: false, device: Device), new ReLU(), new BatchNorm2d(2, affine: false, device: Device), inner));
        Assert.That(model.StateDict().Keys, Is.EqualTo(new[]
        {
            "0.weight", "2.running_mean", "2.running_var", "2.num_batches_tracked", "3.0.weight", "3.0.bias",
            "3.1.weight", "3.1.bias", "3.1.running_mean", "3.1.running_var", "3.1.num_batches_tracked",
        }));
        Assert.That(model.NamedParameters().Select(entry => entry.Key), Is.EqualTo(new[] { "0.weight", "3.0.weight", "3.0.bias", "3.1.weight", "3.1.bias" }));
        Assert.That(model.Parameters(), Is.All.Matches<Tensor>(tensor => tensor!.RequiresGrad));
        Assert.That(model.NamedBuffers().Select(entry => entry.Value), Is.All.Matches<Tensor>(tensor => !tensor!.RequiresGrad));
    }

    [Test]
    public void AStateOfAnotherModelIsRefusedAndNothingChanges()
    {
        var model = Made(new Sequential(new Linear(4, 3, device: Device), new Linear(3, 2, device: Device)));
        var before = model.StateDict().Values.Select(tensor => tensor.ToArray<float>()).ToArray();
        var others = new (Module Model, string[] Words)[]
        {
            (Made(new Sequential(new Linear(4, 3, device: Device))), ["missing", "1.weight", "1.bias"]),
            (Made(new Sequential(new Linear(4, 3, device: Device), new Linear(3, 2, device: Device), new Linear(2, 1, device: Device))), ["unknown", "2.weight"]),
            (Made(new Sequential(new Linear(4, 3, device: Device), new Linear(3, 5, device: Device))), ["1.weight", "(5, 3)", "(2, 3)"]),
        };
        foreach (var (other, words) in others)
        {
            var error = Assert.Throws<StateDictException>(() => model.LoadStateDict(other.StateDict()))!;
            foreach (var word in words) Assert.That(error.Message, Does.Contain(word));
            Assert.That(model.StateDict().Values.Select(tensor => tensor.ToArray<float>()), Is.EqualTo(before));
        }

        model.LoadStateDict(others[0].Model.StateDict(), strict: false);
        Assert.That(model.StateDict()["0.weight"].ToArray<float>(), Is.EqualTo(others[0].Model.StateDict()["0.weight"].ToArray<float>()));
    }

    [Test]
    public void LoadingCopiesAndDoesNotShare()
    {
        var (from, to) = (Made(new Linear(4, 3, device: Device)), Made(new Linear(4, 3, device: Device)));
        to.LoadStateDict(from.StateDict());
        Assert.That(to.StateDict()["weight"].ToArray<float>(), Is.EqualTo(from.StateDict()["weight"].ToArray<float>()));
        Initialize.Constant(from.StateDict()["weight"], 5);
        Assert.That(to.StateDict()["weight"].ToArray<float>(), Has.None.EqualTo(5f));
    }

    [Test]
    public void TrainAndEvalReachEveryChild()
    {
        var (dropout, model) = (new Dropout(1f), new Sequential());
        model.Add(new Sequential(dropout));
        using var scope = Device.Step();
        var x = Tensor.Ones([3, 3], Device);
        Assert.That(model.Forward(x).ToArray<float>(), Is.All.Zero);
        model.Eval();
        Assert.That(dropout.Training, Is.False);
        Assert.That(model.Forward(x).ToArray<float>(), Is.All.EqualTo(1f));
        model.Train();
        Assert.That(dropout.Training);
    }

    [Test]
    public void LazyLayersLearnTheirSizesFromTheFirstInput()
    {
        var model = Made(new Sequential(
            new LazyConv2d(6, 3, groups: 2, device: Device), new LazyBatchNorm2d(device: Device), new Flatten(), new LazyLinear(5, device: Device), new LazyBatchNorm1d(device: Device)));
        Assert.That(() => model.Parameters(), Throws.InvalidOperationException.With.Message.Contains("lazy").IgnoreCase);
        using var scope = Device.Step();
        Assert.That(model.Forward(Tensor.Normal([2, 4, 5, 6], device: Device)).Shape, Is.EqualTo(new Shape(2, 5)));
        var shapes = model.StateDict().ToDictionary(entry => entry.Key, entry => entry.Value.Shape);
        Assert.That(shapes["0.weight"], Is.EqualTo(new Shape(6, 2, 3, 3)));
        Assert.That(shapes["1.weight"], Is.EqualTo(new Shape(6)));
        Assert.That(shapes["3.weight"], Is.EqualTo(new Shape(5, 72)));
        Assert.That(shapes["4.running_var"], Is.EqualTo(new Shape(5)));
        Assert.That(() => model.Forward(Tensor.Normal([2, 6, 5, 6], device: Device)), Throws.InstanceOf<ShapeException>(), "once learned, they stay");
    }

    [Test]
    public void LazyLayersLearnTheirSizesFromAState()
    {
        var eager = Made(new Sequential(new Conv2d(4, 6, 3, groups: 2, device: Device), new BatchNorm2d(6, device: Device), new Linear(7, 5, device: Device)));
        var lazy = Made(new Sequential(new LazyConv2d(6, 3, groups: 2, device: Device), new LazyBatchNorm2d(device: Device), new LazyLinear(5, device: Device)));
        lazy.LoadStateDict(eager.StateDict());
        foreach (var (key, tensor) in eager.StateDict())
        {
            if (tensor.DType == DType.Float32) Assert.That(lazy.StateDict()[key].ToArray<float>(), Is.EqualTo(tensor.ToArray<float>()), key);
        }
    }

    [Test]
    public void TheParametersOfALazyLayerOutliveTheScopeOfItsFirstInput()
    {
        var model = Made(new Sequential(new LazyLinear(5, device: Device), new LazyBatchNorm1d(device: Device)));
        using (Device.Step()) model.Forward(Tensor.Normal([2, 4], device: Device));
        Assert.That(model.StateDict().Values, Is.All.Matches<Tensor>(tensor => !tensor!.IsDisposed));
    }

    [Test]
    public void HooksSeeInputAndOutputUntilTheyEnd()
    {
        var relu = new ReLU();
        var model = new Sequential(relu, new Flatten());
        var seen = new List<(Module, Shape, Shape)>();
        using var scope = Device.Step();
        var x = Tensor.Ones([2, 3, 4], Device);
        using (relu.OnForward((module, input, output) => seen.Add((module, input.Shape, output.Shape))))
        using (model.OnForward((module, input, output) => seen.Add((module, input.Shape, output.Shape))))
            model.Forward(x);

        model.Forward(x);
        Assert.That(seen, Is.EqualTo(new (Module, Shape, Shape)[] { (relu, [2, 3, 4], [2, 3, 4]), (model, [2, 3, 4], [2, 12]) }));
    }

    [Test]
    public void ResidualAddsAndParallelJoins()
    {
        var (body, shortcut) = (new Conv2d(2, 3, 3, padding: 1, device: Device), new Conv2d(2, 3, 1, device: Device));
        var (residual, parallel) = (Made(new Residual(body, shortcut)), new CnnNative.Layers.Parallel(body, shortcut));
        using var scope = Device.Step();
        var x = Tensor.Normal([1, 2, 4, 4], device: Device);
        var (left, right) = (body.Forward(x).ToArray<float>(), shortcut.Forward(x).ToArray<float>());
        Assert.That(residual.Forward(x).ToArray<float>(), Is.EqualTo(left.Zip(right, (a, b) => a + b)));
        Assert.That(parallel.Forward(x).ToArray<float>(), Is.EqualTo(left.Concat(right)));
        Assert.That(new Residual(new ReLU()).Forward(Tensor.Ones([3], Device)).ToArray<float>(), Is.All.EqualTo(2f));
    }

    [Test]
    public void NamesAreUniqueAndHaveNoDots()
    {
        var model = new Sequential();
        model.AddModule("features", new ReLU());
        Assert.That(() => model.AddModule("features", new ReLU()), Throws.ArgumentException);
        Assert.That(() => model.AddModule("a.b", new ReLU()), Throws.ArgumentException.With.Message.Contains("a.b"));
        Assert.That(() => model.AddModule("", new ReLU()), Throws.ArgumentException);
    }

    [Test]
    public void InitialWeightsAreUniformWithinOneOverTheRootOfTheFanIn()
    {
        Device.Random.Seed = 1;
        var convolution = Made(new Conv2d(8, 64, 5, groups: 2, device: Device));
        var bound = 1 / MathF.Sqrt(4 * 25);
        foreach (var tensor in convolution.Parameters())
        {
            var values = tensor.ToArray<float>();
            Assert.That(values, Is.All.InRange(-bound, bound));
            Assert.That(values.Max(), Is.GreaterThan(0.9f * bound));
            Assert.That(values.Min(), Is.LessThan(-0.9f * bound));
        }

        Assert.That(convolution.Weight.ToArray<float>().Average(), Is.EqualTo(0).Within(5 * bound / Math.Sqrt(3 * 6400)), "five deviations of the mean");
    }

    [Test]
    public void MovingToAnotherDeviceKeepsNumbersAndFreesTheOldOnes()
    {
        using var other = new CpuDevice(1);
        var model = Made(new Sequential(new Linear(3, 2, device: Device), new BatchNorm1d(2, device: Device)));
        var before = model.Parameters().Select(tensor => tensor.ToArray<float>()).ToArray();
        model.To(other);
        Assert.That(Device.Memory.Statistics.LiveBlocks, Is.Zero);
        Assert.That(model.StateDict().Values, Is.All.Matches<Tensor>(tensor => tensor!.Device == other));
        Assert.That(model.Parameters().Select(tensor => tensor.ToArray<float>()), Is.EqualTo(before));
        Assert.That(model.Parameters(), Is.All.Matches<Tensor>(tensor => tensor!.RequiresGrad));
        model.DisposeParameters();
    }

    [Test]
    public void AnotherDataTypeRoundsAllButNormalisationAndCounters([Values(DType.BFloat16, DType.Float16)] DType type)
    {
        var model = Made(new Sequential(new Conv2d(2, 3, 3, device: Device), new BatchNorm2d(3, device: Device), new Flatten(), new Linear(12, 2, bias: false, device: Device)));
        var before = model.StateDict().ToDictionary(entry => entry.Key, entry => entry.Value);
        var exact = model.StateDict().Where(entry => entry.Value.DType == DType.Float32).ToDictionary(entry => entry.Key, entry => entry.Value.ToArray<float>());
        Assert.That(model.To(type), Is.SameAs(model));
        foreach (var (key, tensor) in model.StateDict())
        {
            var isOther = key is "0.weight" or "0.bias" or "3.weight";
            Assert.That(tensor.DType, Is.EqualTo(isOther ? type : before[key].DType), key);
            Assert.That(before[key].IsDisposed, Is.EqualTo(isOther), key);
            if (!exact.TryGetValue(key, out var numbers)) continue;
            using var found = tensor.To(DType.Float32);
            Assert.That(found.ToArray<float>(), Is.EqualTo(isOther ? Array.ConvertAll(numbers, value => Side.Round(value, type)) : numbers), key);
        }

        Assert.That(model.Parameters(), Is.All.Matches<Tensor>(tensor => tensor!.RequiresGrad));
        using var scope = Device.Step();
        Assert.That(() => model.Forward(Tensor.Ones([2, 2, 4, 4], Device)), Throws.TypeOf<DTypeException>().With.Message.Contains($"Conv2d: weight has data type {type}"));
        var x = Tensor.Ones([2, 2, 4, 4], Device).To(type);
        if (Device.Engine.Computes(type)) Assert.That(model.Forward(x).DType, Is.EqualTo(type));
        else Assert.That(() => model.Forward(x), Throws.TypeOf<EngineNotSupportedException>().With.Message.Contains($"Conv2d: the Cpu engine does not support data type {type}"));
        model.To(DType.Float32);
        Assert.That(model.Forward(Tensor.Ones([2, 2, 4, 4], Device)).DType, Is.EqualTo(DType.Float32));
    }

    [Test]
    public void ADataTypeThatCannotBeIsRefusedAndNothingChanges()
    {
        var model = Made(new Sequential(new Linear(3, 4, device: Device), new LazyLinear(2, device: Device)));
        Assert.That(() => model.To(DType.Int64), Throws.TypeOf<DTypeException>().With.Message.Contains("Int64"));
        Assert.That(() => model.To(DType.BFloat16), Throws.InvalidOperationException.With.Message.Contains("LazyLinear"));
        Assert.That(((Linear)model.Children.First().Value).Weight.DType, Is.EqualTo(DType.Float32));
    }

    [Test]
    public void LayersRefuseSizesThatMakeNoSense()
    {
        Assert.That(() => new Conv2d(3, 4, 3, groups: 2, device: Device), Throws.InstanceOf<ShapeException>().With.Message.Contains("groups 2"));
        Assert.That(() => new Conv2d(0, 4, 3, device: Device), Throws.InstanceOf<ShapeException>());
        Assert.That(() => new Linear(0, 4, device: Device), Throws.InstanceOf<ShapeException>());
        Assert.That(() => new BatchNorm2d(0, device: Device), Throws.InstanceOf<ShapeException>());
        using var scope = Device.Step();
        Assert.That(() => Made(new BatchNorm2d(3, device: Device)).Forward(Tensor.Ones([2, 3], Device)), Throws.InstanceOf<ShapeException>().With.Message.Contains("(2, 3)"));
        Assert.That(() => Made(new BatchNorm1d(3, device: Device)).Forward(Tensor.Ones([2, 3, 4, 4], Device)), Throws.InstanceOf<ShapeException>());
    }

    private T Made<T>(T module) where T : Module
    {
        made.Add(module);
        return module;
    }
}
