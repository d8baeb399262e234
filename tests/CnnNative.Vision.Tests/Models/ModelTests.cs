using CnnNative.TestKit;
using CnnNative.Vision.Models;
using NUnit.Framework;

namespace CnnNative.Vision.Tests.Models;

[LeakGuard]
public sealed class ModelTests : IDeviceFixture
{
    private readonly CpuDevice device = new(1);

    public Device Device => device;

    [OneTimeTearDown]
    public void CloseDevice() => device.Dispose();

    [TestCase("lenet5", 1, 28, 28, 10, 61_706)]
    [TestCase("lenet5", 3, 12, 17, 3, 17_251)]
    [TestCase("mlp", 1, 28, 28, 10, 335_114)]
    [TestCase("mlp", 1, 1, 1, 1, 132_353)]
    [TestCase("mycnn", 3, 32, 32, 10, 156_074)]
    [TestCase("mycnn", 1, 28, 28, 10, 98_442)]
    [TestCase("mycnn", 2, 8, 9, 4, 32_276)]
    public void BuildsForAShapeAndGivesOneScorePerClass(string name, int channels, int height, int width, int classes, int parameters)
    {
        var model = ModelCatalog.Create(name, [channels, height, width], classes, device);
        using (device.Inference())
        {
            var scores = model.Forward(Tensor.Zeros([2, channels, height, width], device));
            Assert.That(scores.Shape, Is.EqualTo(new Shape(2, classes)));
        }

        Assert.That(model.Parameters().Sum(parameter => parameter.Count), Is.EqualTo(parameters));
        model.DisposeParameters();
    }

    [Test]
    public void StateDictionariesHaveTheUsualKeys()
    {
        var lenet = new LeNet5([1, 28, 28], 10, device);
        Assert.That(lenet.StateDict().Keys, Is.EqualTo(new[]
        {
            "conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias",
        }));
        lenet.DisposeParameters();
        var mycnn = new MyCnn([3, 32, 32], 10, device);
        Assert.That(mycnn.StateDict().Keys, Is.EqualTo(new[]
        {
            "model.0.weight", "model.0.bias", "model.4.weight", "model.4.bias", "model.8.weight", "model.8.bias",
            "model.13.weight", "model.13.bias", "model.16.weight", "model.16.bias",
        }));
        mycnn.DisposeParameters();
    }

    [TestCase("lenet5", 11, 28)]
    [TestCase("lenet5", 28, 11)]
    [TestCase("mycnn", 7, 8)]
    [TestCase("mlp", 0, 5)]
    public void ImagesThatAreTooSmallAreRefused(string name, int height, int width) =>
        Assert.That(() => ModelCatalog.Create(name, [1, height, width], 10, device), Throws.TypeOf<ShapeException>().With.Message.Contains($"(1, {height}, {width})"));

    [Test]
    public void OtherMistakesAreNamed()
    {
        Assert.That(() => ModelCatalog.Create("lenet", [1, 28, 28], 10, device), Throws.ArgumentException.With.Message.Contains("lenet5, mlp, mycnn"));
        Assert.That(() => ModelCatalog.Create("mlp", [28, 28], 10, device), Throws.TypeOf<ShapeException>().With.Message.Contains("(C, H, W)"));
        Assert.That(() => ModelCatalog.Create("mlp", [1, 28, 28], 0, device), Throws.ArgumentException.With.Message.Contains("0 classes"));
    }
}
