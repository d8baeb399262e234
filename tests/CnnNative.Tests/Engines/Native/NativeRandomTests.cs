using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>The device draws the numbers of the CPU.</summary>
public sealed class NativeRandomTests : NativeTests
{
    private static readonly RandomStream Stream = new(0x123456789ABCDEF0, 0xFEDCBA9876543210);
    private static readonly Shape[] Shapes = [[1], [443], [3, 5, 7, 2], [2, 8, 4, 4], [0, 3, 2, 2]];

    [TestCaseSource(nameof(Shapes))]
    public void UniformAndNormalHaveTheBitsOfTheCpu(Shape shape)
    {
        foreach (var layout in shape.Rank == 4 ? Enum.GetValues<Layout>() : [Layout.Nchw])
        {
            CompareExactly(side =>
            {
                Tensor uniform = side.Empty(shape, layout), normal = side.Empty(shape, layout);
                side.Device.Engine.Random.Uniform(uniform, -3f, 1f, Stream);
                side.Device.Engine.Random.Normal(normal, 2f, 0.5f, Stream);
                return [uniform, normal];
            });
        }
    }

    [TestCaseSource(nameof(Shapes))]
    public void DropoutDropsWhatTheCpuDrops(Shape shape)
    {
        foreach (var layout in shape.Rank == 4 ? Enum.GetValues<Layout>() : [Layout.Nchw])
        {
            foreach (var unit in (long[])[1, Math.Max(1, shape.CountFrom(Math.Min(2, shape.Rank)))])
            {
                CompareExactly(side =>
                {
                    var y = side.Empty(shape, layout);
                    side.Device.Engine.Dropout.Apply(side.Of(Random(shape.Count, 3), shape, layout), 0.4f, unit, Stream, y);
                    return [y];
                });
            }
        }
    }

    [Test]
    public void SixteenBitsDrawTheSameNumbers([Values(DType.BFloat16, DType.Float16)] DType type)
    {
        // The CPU rounds nothing: half a rounding of the device.
        Compare(type, 0.51, side =>
        {
            Tensor y = side.Empty([1003]), dropped = side.Empty([1003]), pixels = side.Empty([2, 16, 6, 6], Layout.Nhwc);
            side.Device.Engine.Dropout.Apply(side.Of(Random(pixels.Count, 4), pixels.Shape, Layout.Nhwc), 0.5f, 1, Stream, pixels);
            side.Device.Engine.Random.Normal(y, 0f, 1f, Stream);
            side.Device.Engine.Dropout.Apply(side.Of(Random(1003, 3), [1003]), 0.5f, 1, Stream, dropped);
            return [y, dropped, pixels];
        });
    }

    /// <summary>Views may start anywhere.</summary>
    [Test]
    public void UnalignedTensors()
    {
        CompareExactly(side =>
        {
            var whole = side.Of(Random(1030, 3), [1030]);
            var part = whole.View([1021], 3);
            side.Device.Engine.Dropout.Apply(part, 0.4f, 1, Stream, part);
            side.Device.Engine.Elementwise.Scale(part, 3f, part);
            side.Device.Engine.Random.Uniform(whole.View([5], 1), 0f, 1f, Stream);
            return [whole];
        });
    }

    [Test]
    public void EveryReplayDrawsTheNumbersOfItsTurn()
    {
        using var scope = Device.Inference();
        Tensor drawn = Tensor.Empty([100], DType.Float32, Device), expected = Tensor.Empty([100], DType.Float32, Device);
        using var step = Cuda.Capture(() => Device.Engine.Random.Uniform(drawn, 0f, 1f, Device.Random.Next()));
        for (var replay = 0; replay < 3; replay++)
        {
            var turn = new RandomStream(Device.Random.Seed, Device.Random.Position);
            step.Replay();
            Device.Engine.Random.Uniform(expected, 0f, 1f, turn);
            Assert.That(drawn.ToArray<float>(), Is.EqualTo(expected.ToArray<float>()), $"replay {replay}");
        }
    }
}
