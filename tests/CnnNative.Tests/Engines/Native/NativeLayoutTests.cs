using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Copies between layouts and of blocks on the device, for every size of element, over sizes with tails.</summary>
public sealed class NativeLayoutTests : NativeTests
{
    private static readonly Shape[] Shapes =
    [
        [1, 1, 1, 1], [2, 3, 5, 7], [3, 3, 20, 20], [1, 64, 1, 443], [3, 33, 31, 1], [2, 24, 16, 8], [2, 70, 3, 2], [5, 16, 4, 4], [0, 3, 4, 5],
        [2, 0, 4, 5], [2, 3, 0, 5], [1, 443, 13, 11],
    ];

    [TestCaseSource(nameof(Shapes))]
    public void Bytes(Shape shape) => ThereAndBack(shape, i => (byte)i);

    [TestCaseSource(nameof(Shapes))]
    public void Halves(Shape shape) => ThereAndBack(shape, i => BitConverter.UInt16BitsToHalf((ushort)(i % 0x7C00)));

    [TestCaseSource(nameof(Shapes))]
    public void Floats(Shape shape) => ThereAndBack(shape, i => (float)i);

    [TestCaseSource(nameof(Shapes))]
    public void Longs(Shape shape) => ThereAndBack(shape, i => (long)i << 33 | (uint)i);

    [Test]
    public void Blocks([Values(0, 1, 7, 443)] int count, [Values(0, 1, 8, 60)] int length, [Values(0, 1, 2, 4)] int slack)
    {
        using var scope = Device.Inference();
        var blocks = new BlockCopy(count, length, SourceStart: slack, SourceStep: length + slack, TargetStart: 2 * slack, TargetStep: length + 2 * slack);
        var from = Enumerable.Range(0, count * (length + slack) + slack + 1).Select(i => i + 0.5f).ToArray();
        var target = Tensor.Full([count * (length + 2 * slack) + 2 * slack + 1], -1f, Device);
        Device.Engine.Layout.CopyBlocks(Tensor.From(from, [from.Length], Device), target, blocks);
        var expected = Enumerable.Repeat(-1f, (int)target.Count).ToArray();
        for (var b = 0; b < count; b++) Array.Copy(from, slack + b * (length + slack), expected, 2 * slack + b * (length + 2 * slack), length);
        Assert.That(target.ToArray<float>(), Is.EqualTo(expected));
    }

    [Test]
    public void BlocksAreCopiedInTheWidestUnitThatFits()
    {
        var blocks = new BlockCopy(10, 12, 4, 16, 8, 12);
        Assert.That(BlockCopyPlan.Widen(blocks, 4, 0x1000), Is.EqualTo((16, new BlockCopy(10, 3, 1, 4, 2, 3))));
        Assert.That(BlockCopyPlan.Widen(blocks, 4, 0x1008).UnitBytes, Is.EqualTo(8), "an address");
        Assert.That(BlockCopyPlan.Widen(blocks with { Length = 11 }, 4, 0x1000).UnitBytes, Is.EqualTo(4), "the length");
        Assert.That(BlockCopyPlan.Widen(blocks with { SourceStep = 15 }, 2, 0x1000).UnitBytes, Is.EqualTo(2), "a step");
        Assert.That(BlockCopyPlan.Widen(blocks with { Count = 1, SourceStep = 15 }, 2, 0x1000).UnitBytes, Is.EqualTo(8), "one block has no step");
    }

    [Test]
    public void MatricesAreTransposedInTilesOrAsAWhole()
    {
        Assert.That(TransposeLaunch.For(2, 64, 3136, 4), Is.EqualTo(new TransposeLaunch(false, 64, 3136, false, new(new Dim3(2 * 98, 2), 256))));
        Assert.That(TransposeLaunch.For(2, 64, 3136, 2).Launch.Grid, Is.EqualTo(new Dim3(49, 2)));
        Assert.That(TransposeLaunch.For(70000, 3, 1024, 4), Is.EqualTo(new TransposeLaunch(true, 3, 1024, false, new(new Dim3(4, 65535), 256))));
        Assert.That(TransposeLaunch.For(1, 1024, 3, 4), Is.EqualTo(new TransposeLaunch(true, 3, 1024, true, new(new Dim3(4, 1), 256))));
    }

    private void ThereAndBack<T>(Shape shape, Func<int, T> element) where T : unmanaged
    {
        using var scope = Device.Inference();
        var elements = Enumerable.Range(0, (int)shape.Count).Select(element).ToArray();
        var x = Tensor.From(elements, shape, Device);
        var there = x.ToLayout(Layout.Nhwc);
        Assert.That(there.ToLayout(Layout.Nchw).ToArray<T>(), Is.EqualTo(elements), "there and back");
        // The same memory, seen as (N, H, W, C).
        var seen = there.View(shape, 0).ToArray<T>();
        var (channels, pixels) = (shape[1], (int)shape.CountFrom(2));
        for (var i = 0; i < elements.Length; i++)
        {
            var (image, channel, pixel) = (i / (channels * pixels), i / pixels % channels, i % pixels);
            Assert.That(seen[(image * pixels + pixel) * channels + channel], Is.EqualTo(elements[i]), $"element {i}");
        }
    }
}
