using CnnNative.Layers;
using CnnNative.TestKit;
using CnnNative.Vision.Inspection;
using CnnNative.Vision.Models;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Inspection;

[LeakGuard]
public sealed class ModelSummaryTests : IDeviceFixture
{
    private readonly CpuDevice device = new(1);

    public Device Device => device;

    [OneTimeTearDown]
    public void CloseDevice() => device.Dispose();

    /// <summary>Every figure of LeNet-5 by hand; the receptive fields as in its paper: 5, 6, 14, 16.</summary>
    [Test]
    public void LeNet5ByHand()
    {
        var model = new LeNet5([1, 28, 28], 10, device);
        var summary = ModelSummary.Measure(model, [1, 28, 28], device);
        model.DisposeParameters();
        Assert.That(summary.Layers, Is.EqualTo(new LayerSummary[]
        {
            new("conv1", "Conv2d(1, 6, (5, 5))", [6, 28, 28], 156, 18_816, 117_600, 5),
            new("relu1", "ReLU()", [6, 28, 28], 0, 18_816, 0, 5),
            new("pool1", "MaxPool2d((2, 2))", [6, 14, 14], 0, 4_704, 0, 6),
            new("conv2", "Conv2d(6, 16, (5, 5))", [16, 10, 10], 2_416, 6_400, 240_000, 14),
            new("relu2", "ReLU()", [16, 10, 10], 0, 6_400, 0, 14),
            new("pool2", "MaxPool2d((2, 2))", [16, 5, 5], 0, 1_600, 0, 16),
            new("flatten", "Flatten(1, -1)", [400], 0, 0, 0, 0),
            new("fc1", "Linear(400, 120)", [120], 48_120, 480, 48_000, 0),
            new("relu3", "ReLU()", [120], 0, 480, 0, 0),
            new("fc2", "Linear(120, 84)", [84], 10_164, 336, 10_080, 0),
            new("relu4", "ReLU()", [84], 0, 336, 0, 0),
            new("fc3", "Linear(84, 10)", [10], 850, 40, 840, 0),
        }));
        Assert.That((summary.Parameters, summary.ActivationBytes, summary.MultiplyAdds), Is.EqualTo((61_706L, 58_408L, 416_520L)));
    }

    [Test]
    public void BranchesSeeTheMostThatOneOfThemSees()
    {
        var block = new Residual(new Sequential(new Conv2d(2, 2, 3, padding: 1, device: device), new Conv2d(2, 2, 3, padding: 1, device: device)));
        var model = new Sequential(block, new MaxPool2d(2), new Conv2d(2, 1, 3, device: device));
        var summary = ModelSummary.Measure(model, [2, 12, 12], device);
        model.DisposeParameters();
        Assert.That(summary.Layers.Select(layer => (layer.Name, layer.ReceptiveField)), Is.EqualTo(new[]
        {
            ("0.body.0", 3), ("0.body.1", 5), ("0", 5), ("1", 6), ("2", 10),
        }));
        Assert.That(summary.Layers.Sum(layer => layer.Parameters), Is.EqualTo(summary.Parameters));
    }

    [Test]
    public void TheModelStaysAsItWas()
    {
        var dropout = new Dropout();
        var model = new Sequential(dropout, new Flatten(), new LazyLinear(3, device: device));
        dropout.Eval();
        Assert.That(ModelSummary.Measure(model, [1, 2, 2], device).Parameters, Is.EqualTo(15));
        Assert.That((model.Training, dropout.Training), Is.EqualTo((true, false)));
        model.DisposeParameters();
    }

    /// <summary>10 columns to 4: windows of 3 in steps of 2.5, which count as 3. The last window sees the 4 that are left.</summary>
    [Test]
    public void AdaptiveWindowsAreThoseOfTheirInput()
    {
        var model = new Sequential(new AdaptiveAvgPool2d((4, 2)), new GlobalAvgPool2d());
        Assert.That(ModelSummary.Measure(model, [3, 10, 6], device).Layers, Is.EqualTo(new LayerSummary[]
        {
            new("0", "AdaptiveAvgPool2d((4, 2))", [3, 4, 2], 0, 96, 0, 3),
            new("1", "GlobalAvgPool2d()", [3, 1, 1], 0, 12, 0, 12),
        }));
    }

    [Test]
    public void AnImageThatDoesNotFitIsNamedAndTheModelStaysAsItWas()
    {
        var model = new LeNet5([1, 28, 28], 10, device);
        Assert.That(() => ModelSummary.Measure(model, [3, 28, 28], device), Throws.TypeOf<ShapeException>());
        Assert.That(model.Training);
        model.DisposeParameters();
    }
}
