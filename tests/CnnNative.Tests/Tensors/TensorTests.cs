using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Tensors;

/// <summary>Making tensors, moving their elements, and looking at them in another shape or order.</summary>
[EngineFixtures]
public sealed class TensorTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static readonly int[][] Shapes = [[], [0], [1], [443], [3, 0, 2], [2, 3, 5, 7], [1, 1, 1, 1], [2, 443, 3, 1], [1, 64, 8, 8], [2, 1, 2, 1, 3]];

    [TestCaseSource(nameof(Shapes))]
    public void ElementsComeBackAsTheyWent(params int[] sizes)
    {
        using var scope = Device.Step();
        var shape = new Shape(sizes);
        RoundTrip(shape, i => i / 2f);
        RoundTrip(shape, i => i - (1L << 40));
        RoundTrip(shape, i => -i);
        RoundTrip(shape, i => (byte)i);
        RoundTrip(shape, i => (Half)i);
    }

    [TestCaseSource(nameof(Shapes))]
    public void LayoutsChangeTheOrderInMemoryAndNothingElse(params int[] sizes)
    {
        using var scope = Device.Step();
        var x = Tensor.Normal(new Shape(sizes), device: Device);
        if (sizes.Length != 4)
        {
            Assert.That(() => x.ToLayout(Layout.Nhwc), Throws.InstanceOf<ShapeException>().With.Message.Contains("NHWC"));
            return;
        }

        var turned = x.ToLayout(Layout.Nhwc);
        Assert.That(turned.Shape, Is.EqualTo(x.Shape));
        Assert.That(turned.ToArray<float>(), Is.EqualTo(x.ToArray<float>()));
        Assert.That(turned.ToLayout(Layout.Nchw).ToArray<float>(), Is.EqualTo(x.ToArray<float>()));
        var copied = Tensor.Empty(x.Shape, device: Device, layout: Layout.Nhwc);
        copied.CopyFrom<float>(x.ToArray<float>());
        Assert.That(copied.ToArray<float>(), Is.EqualTo(x.ToArray<float>()));
        copied.CopyFrom(x);
        Assert.That(copied.ToArray<float>(), Is.EqualTo(x.ToArray<float>()));
    }

    /// <summary>The order in memory itself, seen through a reshape of the raw copy: element (n, c, h, w) of NHWC comes at ((n H + h) W + w) C + c.</summary>
    [Test]
    public void NhwcHasChannelsLast()
    {
        using var scope = Device.Step();
        var x = Tensor.From([.. Enumerable.Range(0, 2 * 3 * 4 * 5).Select(i => (float)i)], [2, 3, 4, 5], Device).ToLayout(Layout.Nhwc);
        var memory = x.View([120], 0).ToArray<float>();
        for (var n = 0; n < 2; n++)
        for (var c = 0; c < 3; c++)
        for (var pixel = 0; pixel < 20; pixel++)
        {
            Assert.That(memory[(n * 20 + pixel) * 3 + c], Is.EqualTo((n * 3 + c) * 20 + pixel));
        }
    }

    [Test]
    public void ReshapeComputesAnOpenSize()
    {
        using var scope = Device.Step();
        var x = Tensor.Zeros([2, 3, 4], Device);
        Assert.That(x.Reshape(-1).Shape, Is.EqualTo(new Shape(24)));
        Assert.That(x.Reshape(6, -1).Shape, Is.EqualTo(new Shape(6, 4)));
        Assert.That(x.Reshape(2, -1, 1, 2).Shape, Is.EqualTo(new Shape(2, 6, 1, 2)));
    }

    [Test]
    public void ReshapeSharesMemoryAndCloneDoesNot()
    {
        using var scope = Device.Step();
        var x = Tensor.Zeros([2, 2], Device);
        var (view, copy, detached) = (x.Reshape(4), x.Clone(), x.Detach());
        x.CopyFrom<float>([1, 2, 3, 4]);
        Assert.That(view.ToArray<float>(), Is.EqualTo(new[] { 1f, 2, 3, 4 }));
        Assert.That(detached.ToArray<float>(), Is.EqualTo(new[] { 1f, 2, 3, 4 }));
        Assert.That(copy.ToArray<float>(), Is.All.Zero);
    }

    [Test]
    public void ADeviceMayBeLeftAndReached([Values] Layout layout)
    {
        using var other = new CpuDevice(1);
        using var outer = other.Step();
        using var scope = Device.Step();
        var x = Tensor.Normal([2, 3, 4, 5], device: Device).ToLayout(layout);
        var there = x.To(other);
        Assert.That(there.Device, Is.SameAs(other));
        Assert.That(there.ToArray<float>(), Is.EqualTo(x.ToArray<float>()));
        Assert.That(there.To(Device).ToArray<float>(), Is.EqualTo(x.ToArray<float>()));
    }

    [Test]
    public void WrongCountsAreRefused()
    {
        using var scope = Device.Step();
        var x = Tensor.Zeros([2, 3], Device);
        Assert.That(() => Tensor.From([1f, 2], [3], Device), Throws.InstanceOf<ShapeException>().With.Message.Contains("2 elements").And.Message.Contains("(3)"));
        Assert.That(() => x.CopyFrom<float>(new float[5]), Throws.InstanceOf<ShapeException>());
        Assert.That(() => x.CopyTo<float>(new float[7]), Throws.InstanceOf<ShapeException>());
        Assert.That(() => x.CopyFrom(Tensor.Zeros([3, 2], Device)), Throws.InstanceOf<ShapeException>().With.Message.Contains("(3, 2)"));
        Assert.That(() => x.Item(), Throws.InstanceOf<ShapeException>().With.Message.Contains("(2, 3)"));
        Assert.That(() => new Shape(2, -1), Throws.InstanceOf<ShapeException>().With.Message.Contains("-1"));
    }

    [Test]
    public void AFailedCreationLeaksNothing()
    {
        Assert.That(() => Tensor.From([1f, 2], [3], Device), Throws.InstanceOf<ShapeException>());
        Assert.That(Device.Memory.Statistics.LiveBlocks, Is.Zero);
    }

    [Test]
    public void ManyThreadsMayUseOneDevice()
    {
        using var scope = Device.Step();
        var x = Tensor.Normal([64, 37], device: Device);
        var w = Tensor.Normal([29, 37], device: Device);
        var expected = Functional.Linear(x, w).ToArray<float>();
        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < 50; i++)
            {
                using var inner = Device.Inference();
                Assert.That(Functional.Linear(x, w).ToArray<float>(), Is.EqualTo(expected));
            }
        });
    }

    private void RoundTrip<T>(Shape shape, Func<int, T> element) where T : unmanaged
    {
        T[] elements = [.. Enumerable.Range(0, (int)shape.Count).Select(element)];
        var tensor = Tensor.From(elements, shape, Device);
        Assert.That(tensor.DType, Is.EqualTo(DTypes.Of<T>()));
        Assert.That(tensor.ToArray<T>(), Is.EqualTo(elements));
        if (shape.Rank == 4) Assert.That(tensor.ToLayout(Layout.Nhwc).ToArray<T>(), Is.EqualTo(elements));
    }
}
