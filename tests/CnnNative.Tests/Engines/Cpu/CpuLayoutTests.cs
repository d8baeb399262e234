using CnnNative.Engines;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Copies between layouts and of blocks, for every size of element, over sizes with tails.</summary>
public sealed class CpuLayoutTests
{
    private static readonly Shape[] Shapes =
    [
        [1, 1, 1, 1], [2, 3, 5, 7], [1, 64, 1, 443], [3, 33, 31, 1], [2, 8, 16, 8], [0, 3, 4, 5], [2, 0, 4, 5], [2, 3, 0, 5], [1, 443, 13, 11],
    ];

    [TestCaseSource(nameof(Shapes))]
    public void Bytes(Shape shape) => ThereAndBack(shape, i => (byte)i);

    [TestCaseSource(nameof(Shapes))]
    public void Halves(Shape shape) => ThereAndBack(shape, i => BitConverter.UInt16BitsToHalf((ushort)i));

    [TestCaseSource(nameof(Shapes))]
    public void Floats(Shape shape) => ThereAndBack(shape, i => (float)i);

    [TestCaseSource(nameof(Shapes))]
    public void Longs(Shape shape) => ThereAndBack(shape, i => (long)i << 33 | (uint)i);

    [Test]
    public void BrainFloatsAreCopiedWithoutAType()
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var x = Tensor.Empty([2, 5, 3, 3], DType.BFloat16, device, Layout.Nhwc);
        using (var pinned = x.PinBytes())
        {
            unsafe
            {
                for (var i = 0; i < 180; i++) pinned.Pointer[i] = (byte)i;
            }
        }

        using var there = x.ToLayout(Layout.Nchw).ToLayout(Layout.Nhwc).PinBytes();
        unsafe
        {
            for (var i = 0; i < 180; i++) Assert.That(there.Pointer[i], Is.EqualTo((byte)i), $"byte {i}");
        }
    }

    [TestCase(0, 5)]
    [TestCase(1, 443)]
    [TestCase(7, 0)]
    [TestCase(443, 1)]
    [TestCase(9, 70000)]
    public void Blocks(int count, int length)
    {
        using var device = new CpuDevice(3);
        using var scope = device.Inference();
        var blocks = new BlockCopy(count, length, SourceStart: 2, SourceStep: length + 3, TargetStart: 5, TargetStep: length + 1);
        var from = Enumerable.Range(0, count * (length + 3) + 2).Select(i => i + 0.5f).ToArray();
        var target = Tensor.Full([count * (length + 1) + 5], -1f, device);
        device.Engine.Layout.CopyBlocks(Tensor.From(from, [from.Length], device), target, blocks);
        var expected = Enumerable.Repeat(-1f, count * (length + 1) + 5).ToArray();
        for (var b = 0; b < count; b++) Array.Copy(from, 2 + b * (length + 3), expected, 5 + b * (length + 1), length);
        Assert.That(target.ToArray<float>(), Is.EqualTo(expected));
    }

    private static void ThereAndBack<T>(Shape shape, Func<int, T> element) where T : unmanaged
    {
        using var device = new CpuDevice(2);
        using var scope = device.Inference();
        var elements = Enumerable.Range(0, (int)shape.Count).Select(element).ToArray();
        var there = Tensor.From(elements, shape, device).ToLayout(Layout.Nhwc);
        Assert.That(InMemoryOrder<T>(there), Is.EqualTo(Transposed(elements, shape)), "order in memory");
        Assert.That(there.ToLayout(Layout.Nchw).ToArray<T>(), Is.EqualTo(elements), "and back");
    }

    private static unsafe T[] InMemoryOrder<T>(Tensor x) where T : unmanaged
    {
        using var pinned = x.Pin<T>();
        return new Span<T>(pinned.Pointer, (int)x.Count).ToArray();
    }

    private static T[] Transposed<T>(T[] elements, Shape shape)
    {
        var (c, l) = (shape[1], shape[2] * shape[3]);
        var target = new T[elements.Length];
        for (var i = 0; i < elements.Length; i++) target[(i / (c * l) * l + i % l) * c + i / l % c] = elements[i];
        return target;
    }
}
