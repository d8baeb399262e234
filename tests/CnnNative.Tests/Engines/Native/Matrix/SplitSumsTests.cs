using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Matrix;

/// <summary>The second stage of a split sum, by a thread per element and by eight.</summary>
public sealed class SplitSumsTests : NativeTests
{
    /// <summary>Integers, whose sum is exact in any order: none is missing, none there twice.</summary>
    [Test]
    public void Every_split_is_added_once([Values(1, 33, 250)] int count, [Values(1, 15, 16, 29, 128)] int splits)
    {
        using var scope = Device.Inference();
        var partial = Enumerable.Range(0, count * splits).Select(i => (float)(i % 1021)).ToArray();
        var side = new Side(Device, DType.Float32);
        var (from, to) = (side.Of(partial, [splits, count]), side.Empty([count]));
        using (var source = from.OnDevice())
        using (var target = to.OnDevice())
            new SplitSums(((NativeEngine)Device.Engine).Context, DType.Float32).Add(source, target, count, splits);
        Assert.That(to.ToArray<float>(), Is.EqualTo(Enumerable.Range(0, count).Select(i => Enumerable.Range(0, splits).Sum(s => partial[(s * count) + i]))));
    }
}
