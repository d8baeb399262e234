using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;
using NUnit.Framework.Constraints;

namespace CnnNative.Tests.Functions;

/// <summary>What makes no sense gets a typed error that names the operation, the values and what was expected.</summary>
[EngineFixtures]
public sealed class RefusalTests(EngineUnderTest engine) : EngineTests(engine)
{
    [Test]
    public void GroupsThatDoNotDivide()
    {
        using var scope = Device.Step();
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 4, 5, 5), Ones(6, 2, 3, 3), groups: 3), "groups 3", "input 4");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 4, 5, 5), Ones(3, 2, 3, 3), groups: 2), "groups 2", "output 3");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 4, 5, 5), Ones(4, 4, 3, 3), groups: 0), "groups 0");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 4, 5, 5), Ones(4, 4, 3, 3), groups: -1), "groups -1");
    }

    [Test]
    public void ConvolutionShapesThatDoNotFit()
    {
        using var scope = Device.Step();
        Refused("Conv2d", () => Functional.Conv2d(Ones(3, 5, 5), Ones(2, 3, 3, 3)), "(3, 5, 5)", "4 dimensions");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 3, 5, 5), Ones(2, 3, 3)), "(2, 3, 3)");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 3, 5, 5), Ones(2, 4, 3, 3)), "(2, 4, 3, 3)", "expected 3");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 3, 5, 5), Ones(2, 3, 3, 3), Ones(3)), "bias", "(3)", "(2)");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 3, 5, 5), Ones(2, 3, 3, 3), stride: 0), "stride (0, 0)");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 3, 5, 5), Ones(2, 3, 3, 3), dilation: (1, 0)), "dilation (1, 0)");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 3, 5, 5), Ones(2, 3, 3, 3), padding: -1), "padding", "negative");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 3, 5, 5), Ones(2, 3, 3, 3), stride: 2, padding: Padding.Same), "Same", "stride");
    }

    [Test]
    public void AFilterLargerThanThePaddedInput()
    {
        using var scope = Device.Step();
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 1, 4, 9), Ones(1, 1, 5, 5)), "(5, 5)", "(4, 9)");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 1, 4, 9), Ones(1, 1, 3, 3), dilation: 3, padding: 1), "(7, 7)", "(6, 11)");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 1, 0, 9), Ones(1, 1, 1, 1)), "(0, 9)");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 1, 4, 9), Ones(1, 1, 3, 3), dilation: int.MaxValue), "more than the padded input");
        Refused("MaxPool2d", () => Functional.MaxPool2d(Ones(1, 1, 2, 2), 3), "(3, 3)", "(2, 2)");
        Refused("AvgPool2d", () => Functional.AvgPool2d(Ones(1, 1, 2, 9), (3, 2)), "(3, 2)", "(2, 9)");
    }

    [Test]
    public void PaddingThatAModeCannotFill()
    {
        using var scope = Device.Step();
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 1, 4, 4), Ones(1, 1, 3, 3), padding: 4, paddingMode: PaddingMode.Reflect), "Reflect", "(4, 4)", "(3, 3)");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 1, 4, 4), Ones(1, 1, 3, 3), padding: 5, paddingMode: PaddingMode.Circular), "Circular", "(4, 4)");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 1, 0, 4), Ones(1, 1, 1, 1), padding: 1, paddingMode: PaddingMode.Replicate), "Replicate");
        Refused("Conv2d", () => Functional.Conv2d(Ones(1, 1, 4, 4), Ones(1, 1, 3, 3), padding: int.MaxValue));
    }

    [Test]
    public void PoolingThatMakesNoSense()
    {
        using var scope = Device.Step();
        foreach (var (name, pool) in new (string, Func<Tensor, Pair, Pair?, Pair, Tensor>)[]
        {
            ("MaxPool2d", (x, kernel, stride, padding) => Functional.MaxPool2d(x, kernel, stride, padding)),
            ("AvgPool2d", (x, kernel, stride, padding) => Functional.AvgPool2d(x, kernel, stride, padding)),
        })
        {
            Refused(name, () => pool(Ones(3, 8, 8), 2, null, 0), "(3, 8, 8)");
            Refused(name, () => pool(Ones(1, 3, 8, 8), 0, null, 0), "window (0, 0)");
            Refused(name, () => pool(Ones(1, 3, 8, 8), 2, -1, 0), "stride (-1, -1)");
            Refused(name, () => pool(Ones(1, 3, 8, 8), 3, 1, 2), "padding (2, 2)", "(3, 3)");
            Refused(name, () => pool(Ones(1, 3, 8, 8), 3, 1, -1), "padding (-1, -1)");
        }

        Refused("AdaptiveAvgPool2d", () => Functional.AdaptiveAvgPool2d(Ones(3, 8, 8), 2), "(3, 8, 8)", "4 dimensions");
        Refused("AdaptiveAvgPool2d", () => Functional.AdaptiveAvgPool2d(Ones(1, 3, 8, 8), (0, 2)), "output (0, 2)", "at least 1");
        Refused("AdaptiveAvgPool2d", () => Functional.AdaptiveAvgPool2d(Ones(1, 3, 8, 8), (2, -1)), "output (2, -1)");
        Refused("AdaptiveAvgPool2d", () => Functional.AdaptiveAvgPool2d(Ones(1, 3, 0, 8), 2), "(1, 3, 0, 8)", "at least one row");
        Refused("GlobalAvgPool2d", () => Functional.GlobalAvgPool2d(Ones(3, 8, 8)), "(3, 8, 8)");
        Refused("GlobalAvgPool2d", () => Functional.GlobalAvgPool2d(Ones(1, 3, 8, 0)), "(1, 3, 8, 0)");
    }

    [Test]
    public void DenseShapesThatDoNotFit()
    {
        using var scope = Device.Step();
        Refused("Linear", () => Functional.Linear(Ones(2, 5), Ones(3, 4)), "(2, 5)", "(3, 4)", "must be 4");
        Refused("Linear", () => Functional.Linear(Ones(2, 4), Ones(3, 4), Ones(4)), "bias", "(4)", "(3)");
        Refused("Linear", () => Functional.Linear(Tensor.Full(Shape.Scalar, 1, Device), Ones(3, 4)), "()");
        Refused("Add", () => Functional.Add(Ones(2, 3), Ones(3, 2)), "(3, 2)", "(2, 3)");
        Refused("Multiply", () => Functional.Multiply(Ones(2, 3), Ones(2, 4)), "(2, 4)");
        Refused("Concat", () => Functional.Concat([]), "no tensors");
        Refused("Concat", () => Functional.Concat([Ones(2, 3), Ones(3, 3)], 1), "(2, 3)", "(3, 3)");
        Refused("Concat", () => Functional.Concat([Ones(2, 3), Ones(2, 3, 1)], 1), "(2, 3, 1)");
        Refused("Flatten", () => Functional.Flatten(Ones(2, 3, 4), 2, 1), "(2, 3, 4)");
        Refused("Reshape", () => Ones(2, 3).Reshape(4, 2), "(2, 3)", "(4, 2)");
        Refused("Reshape", () => Ones(2, 3).Reshape(-1, 4), "(2, 3)");
        Refused("Reshape", () => Ones(2, 3).Reshape(-1, -1), "(2, 3)");
        Assert.That(() => Functional.Softmax(Ones(2, 3), 2), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("(2, 3)"));
    }

    [Test]
    public void NormalisationThatMakesNoSense()
    {
        using var scope = Device.Step();
        Refused("BatchNorm", () => Functional.BatchNorm(Ones(3), null, null, training: true), "(3)");
        Refused("BatchNorm", () => Functional.BatchNorm(Ones(1, 3), null, null, training: true), "(1, 3)", "more than one");
        Refused("BatchNorm", () => Functional.BatchNorm(Ones(2, 3), Ones(4), Ones(3)), "runningMean", "(4)", "(3)");
        Refused("BatchNorm", () => Functional.BatchNorm(Ones(2, 3), Ones(3), Ones(3), weight: Ones(2)), "weight", "(2)", "(3)");
        Assert.That(() => Functional.BatchNorm(Ones(2, 3), null, null), Throws.ArgumentException.With.Message.Contains("BatchNorm"));
    }

    [Test]
    public void LabelsThatDoNotFit()
    {
        using var scope = Device.Step();
        Refused("CrossEntropy", () => Functional.CrossEntropy(Ones(4, 3), Labels(0, 1, 2)), "(3)", "(4)");
        Refused("CrossEntropy", () => Functional.CrossEntropy(Ones(3), Labels(0, 1, 2)), "(3)");
        Refused("CrossEntropy", () => Functional.CrossEntropy(Ones(3, 4), Labels(0, 1, 2), Ones(3)), "weight", "(3)", "(4)");
        Assert.That(() => Functional.CrossEntropy(Ones(3, 4), Labels(0, 1, 2), labelSmoothing: 1.5f), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => Functional.CrossEntropy(Ones(3, 4), Ones(3)), Throws.InstanceOf<DTypeException>().With.Message.Contains("Int64"));
        Assert.That(() => Functional.CountHits(Ones(3, 4), Ones(3)), Throws.InstanceOf<DTypeException>());
    }

    /// <summary>An engine that does not see the labels on the host gives NaN instead.</summary>
    [TestCase(7)]
    [TestCase(-7)]
    public void LabelsThatAreNoClass(int label)
    {
        using var scope = Device.Step();
        var logits = Ones(3, 4);
        logits.RequiresGrad = true;
        if (Device is CpuDevice)
        {
            Assert.That(
                () => Functional.CrossEntropy(logits, Labels(0, label, 2)),
                Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("CrossEntropy").And.Message.Contains("7"));
            return;
        }

        var loss = Functional.CrossEntropy(logits, Labels(0, label, 2));
        loss.Backward();
        var gradient = logits.Grad!.ToArray<float>();
        Assert.That(loss.Item(), Is.NaN);
        Assert.That(gradient[4..8], Is.All.NaN, "the row of the label");
        Assert.That(gradient[..4].Concat(gradient[8..]), Has.None.NaN, "the other rows");
    }

    [Test]
    public void DataTypesThatDoNotFit()
    {
        using var scope = Device.Step();
        var integers = Tensor.From(new int[16], [1, 1, 4, 4], Device);
        IResolveConstraint Refused() => Throws.InstanceOf<DTypeException>().With.Message.Contains("Int32");
        Assert.That(() => Functional.Conv2d(Ones(1, 1, 4, 4), integers), Refused());
        Assert.That(() => Functional.Conv2d(integers, Ones(1, 1, 2, 2)), Throws.InstanceOf<DTypeException>());
        Assert.That(() => Functional.Add(Ones(1, 1, 4, 4), integers), Refused());
        Assert.That(() => Functional.Relu(integers), Throws.InstanceOf<Exception>().With.Message.Contains("Int32"));
        Assert.That(() => Functional.MaxPool2d(integers, 2), Throws.InstanceOf<Exception>().With.Message.Contains("Int32"));
        Assert.That(() => Functional.AdaptiveAvgPool2d(integers, 3), Throws.InstanceOf<Exception>().With.Message.Contains("Int32"));
        Assert.That(() => Functional.GlobalAvgPool2d(integers), Throws.InstanceOf<Exception>().With.Message.Contains("Int32"));
        Assert.That(() => Functional.Softmax(integers), Throws.InstanceOf<Exception>().With.Message.Contains("Int32"));
        Assert.That(() => integers.ToArray<float>(), Refused());
        Assert.That(() => integers.CopyFrom<float>(new float[16]), Refused());
    }

    [Test]
    public void TensorsOfTwoDevices()
    {
        using var other = new CpuDevice(1);
        using var scope = Device.Step();
        using var foreign = other.Step();
        var (here, there) = (Ones(2, 2), Tensor.Ones([2, 2], other));
        IResolveConstraint Refused() => Throws.InstanceOf<DeviceMismatchException>().With.Message.Contains("To(device)");
        Assert.That(() => Functional.Add(here, there), Refused());
        Assert.That(() => Functional.Linear(here, there), Refused());
        Assert.That(() => Functional.Concat([here, there]), Refused());
        Assert.That(() => Functional.Conv2d(Ones(1, 1, 2, 2), Tensor.Ones([1, 1, 2, 2], other)), Refused());
        Assert.That(() => Functional.CrossEntropy(here, Tensor.From([0L, 1], [2], other)), Refused());
        Assert.That(() => Functional.BatchNorm(here, Tensor.Ones([2], other), Tensor.Ones([2], other)), Refused());
    }

    [Test]
    public void DisposedTensors()
    {
        using var scope = Device.Step();
        var gone = Ones(1, 2, 4, 4);
        gone.Dispose();
        IResolveConstraint Refused() => Throws.InstanceOf<ObjectDisposedException>().With.Message.Contains("(1, 2, 4, 4)");
        Assert.That(() => Functional.Conv2d(gone, Ones(1, 2, 3, 3)), Refused());
        Assert.That(() => Functional.MaxPool2d(gone, 2), Refused());
        Assert.That(() => Functional.AvgPool2d(gone, 2), Refused());
        Assert.That(() => Functional.AdaptiveAvgPool2d(gone, 3), Refused());
        Assert.That(() => Functional.GlobalAvgPool2d(gone), Refused());
        Assert.That(() => Functional.Relu(gone), Refused());
        Assert.That(() => Functional.Softmax(gone), Refused());
        Assert.That(() => Functional.Add(Ones(1, 2, 4, 4), gone), Refused());
        Assert.That(() => Functional.Concat([Ones(1, 2, 4, 4), gone]), Refused());
        Assert.That(() => Functional.Flatten(gone), Refused());
        Assert.That(() => Functional.Dropout(gone), Refused());
        Assert.That(() => Functional.BatchNorm(gone, null, null, training: true), Refused());
        Assert.That(() => gone.ToArray<float>(), Refused());
        Assert.That(() => gone.ToLayout(Layout.Nhwc), Refused());
        Assert.That(() => gone.Clone(), Refused());
        Assert.That(() => gone.Detach(), Refused());
        Assert.That(() => gone.CopyFrom<float>(new float[32]), Refused());
    }

    [Test]
    public void MoreMemoryThanThereIs()
    {
        using var scope = Device.Step();
        var error = Assert.Catch<DeviceOutOfMemoryException>(() => Tensor.Empty([int.MaxValue, int.MaxValue / 8], device: Device))!;
        Assert.That(error.Message, Does.Contain("out of memory").And.Contain("bytes were asked for"));
        Assert.That(() => new Shape(int.MaxValue, int.MaxValue, int.MaxValue), Throws.InstanceOf<ShapeException>());
        Assert.That(() => Tensor.Empty([int.MaxValue, int.MaxValue], device: Device), Throws.InstanceOf<ShapeException>().With.Message.Contains("2147483647"));
        Assert.That(Ones(2, 2).ToArray<float>(), Is.All.EqualTo(1f), "the device works on");
    }

    private Tensor Ones(params int[] shape) => Tensor.Ones(new Shape(shape), Device);

    private Tensor Labels(params long[] labels) => Tensor.From(labels, [labels.Length], Device);

    private static void Refused(string operation, Func<Tensor> call, params string[] words)
    {
        var error = Assert.Throws<ShapeException>(() => call())!;
        Assert.That(error.Operation, Is.EqualTo(operation));
        foreach (var word in words.Prepend(operation)) Assert.That(error.Message, Does.Contain(word));
    }
}
