using System.Runtime.Intrinsics;
using CnnNative.Engines.Cpu;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Partial loads and stores, and the orders of lanes.</summary>
public sealed unsafe class LanesTests
{
    private static readonly float[] Numbers = [.. Enumerable.Range(0, 32).Select(i => (float)i)];

    [TestCase(-3)]
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(7)]
    [TestCase(8)]
    [TestCase(15)]
    [TestCase(16)]
    [TestCase(40)]
    public void PartialLoadAndStore(int count)
    {
        var whole = Math.Clamp(count, 0, 16);
        var target = Enumerable.Repeat(-1f, 32).ToArray();
        Vector512<float> loaded;
        fixed (float* source = Numbers, to = target)
        {
            loaded = Lanes.LoadFirst(source, count, fill: 99f);
            Vector512.Create(5f).StoreFirst(to, count);
        }

        for (var i = 0; i < 16; i++) Assert.That(loaded[i], Is.EqualTo(i < whole ? i : 99f), $"lane {i}");
        Assert.That(target, Is.EqualTo(Enumerable.Repeat(5f, whole).Concat(Enumerable.Repeat(-1f, 32 - whole))));
    }

    [Test]
    public void EvenOddAndBack()
    {
        var (a, b) = (Vector512.Create(Numbers), Vector512.Create(Numbers, 16));
        var (even, odd) = (Lanes.Even(a, b), Lanes.Odd(a, b));
        var (low, high) = Lanes.Interleave(even, odd);
        for (var i = 0; i < 16; i++)
        {
            Assert.That((even[i], odd[i]), Is.EqualTo((2f * i, 2f * i + 1)), $"lane {i}");
            Assert.That((low[i], high[i]), Is.EqualTo(((float)i, i + 16f)), $"lane {i}");
        }
    }

    [Test]
    public void SumIsInDouble() => Assert.That(Lanes.SumDouble(Vector512.Create(1e8f).WithElement(3, 1f)), Is.EqualTo(15e8 + 1));
}
