using System.Runtime.Intrinsics;
using CnnNative.Engines.Cpu;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Philox 4x32-10 against the known answers that its authors publish (Random123, kat_vectors).</summary>
public sealed class PhiloxTests
{
    [TestCase(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [TestCase(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [TestCase(
        0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void KnownAnswers(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint w0, uint w1, uint w2, uint w3)
    {
        Assert.That(Philox.Block((c0, c1, c2, c3), (k0, k1)), Is.EqualTo((w0, w1, w2, w3)));

        // The same block out of the vectors: its counter as block and stream, its key as seed.
        var block = (ulong)c1 << 32 | c0;
        var stream = new RandomStream((ulong)k1 << 32 | k0, (ulong)c3 << 32 | c2);
        if (block > long.MaxValue) return;
        var words = Words(stream, (long)(block / 8));
        Assert.That(words.AsSpan((int)(block % 8) * 4, 4).ToArray(), Is.EqualTo(new[] { w0, w1, w2, w3 }));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(443)]
    [TestCase((1L << 29) - 1)] // Its successor's first counter word wraps round.
    [TestCase(1L << 29)]
    public void VectorsHoldTheWordsOfEightBlocksInOrder(long batch)
    {
        var stream = new RandomStream(0x0123456789ABCDEF, 0xFEDCBA9876543210);
        var words = Words(stream, batch);
        for (var i = 0; i < Philox.Batch; i++)
        {
            var block = (ulong)batch * 8 + (ulong)i / 4;
            var (w0, w1, w2, w3) = Philox.Block(((uint)block, (uint)(block >> 32), 0x76543210, 0xFEDCBA98), (0x89ABCDEF, 0x01234567));
            Assert.That(words[i], Is.EqualTo((i % 4) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 }), $"word {i}");
        }
    }

    private static uint[] Words(RandomStream stream, long batch)
    {
        var (first, second) = Philox.Words(stream, batch);
        var words = new uint[Philox.Batch];
        first.CopyTo(words, 0);
        second.CopyTo(words, 16);
        return words;
    }
}
