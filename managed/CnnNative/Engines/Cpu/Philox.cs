using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a bijection of 128-bit counters
/// keyed by 64 bits. Element i of a <see cref="RandomStream"/> is word i % 4 of block i / 4.
/// </summary>
internal static class Philox
{
    /// <summary>Words that <see cref="Words"/> computes at once: eight blocks.</summary>
    public const int Batch = 32;

    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>The four words of one block, from its counter and key, lowest word first.</summary>
    public static (uint W0, uint W1, uint W2, uint W3) Block((uint C0, uint C1, uint C2, uint C3) counter, (uint K0, uint K1) key)
    {
        var (c0, c1, c2, c3) = counter;
        var (k0, k1) = key;
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = (ulong)Multiplier0 * c0;
            var product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>
    /// Elements 32 * batch to 32 * batch + 31 of a stream. One 64-bit lane per block holds a 32-bit word, so that a product
    /// has room; the lanes take the blocks in the order 0 4 1 5 2 6 3 7, which makes the interleaving at the end two steps.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<uint> First, Vector512<uint> Second) Words(RandomStream stream, long batch)
    {
        var block = Vector512.Create((ulong)batch * (Batch / 4)) + Vector512.Create(0UL, 4, 1, 5, 2, 6, 3, 7);
        var low = Vector512.Create((ulong)uint.MaxValue);
        Vector512<ulong> c0 = block & low, c1 = block >> 32;
        Vector512<ulong> c2 = Vector512.Create((ulong)(uint)stream.Stream), c3 = Vector512.Create(stream.Stream >> 32);
        var (k0, k1) = ((uint)stream.Seed, (uint)(stream.Seed >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = MultiplyLow(c0, Multiplier0);
            var product1 = MultiplyLow(c2, Multiplier1);
            c0 = (product1 >> 32) ^ c1 ^ Vector512.Create((ulong)k0);
            c2 = (product0 >> 32) ^ c3 ^ Vector512.Create((ulong)k1);
            c1 = product1 & low;
            c3 = product0 & low;
            k0 += Weyl0;
            k1 += Weyl1;
        }

        // Words 0 1 and 2 3 of each block, then blocks 0 to 3 from the even lanes and 4 to 7 from the odd ones.
        var words01 = c0 | (c1 << 32);
        var words23 = c2 | (c3 << 32);
        var even = Vector512.Create(ulong.MaxValue, 0, ulong.MaxValue, 0, ulong.MaxValue, 0, ulong.MaxValue, 0);
        var first = Vector512.ConditionalSelect(even, words01, Vector512.Shuffle(words23, Vector512.Create(0UL, 0, 2, 2, 4, 4, 6, 6)));
        var second = Vector512.ConditionalSelect(even, Vector512.Shuffle(words01, Vector512.Create(1UL, 1, 3, 3, 5, 5, 7, 7)), words23);
        return (first.AsUInt32(), second.AsUInt32());
    }

    /// <summary>Words as numbers from 0 to 1 - 2^-24: the top 24 bits over 2^24.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Unit(Vector512<uint> words) => Vector512.ConvertToSingle((words >> 8).AsInt32()) * (1f / (1 << 24));

    /// <summary>Product of 32-bit numbers in 64-bit lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> MultiplyLow(Vector512<ulong> a, uint b) => Avx512F.IsSupported
        ? Avx512F.Multiply(a.AsUInt32(), Vector512.Create((ulong)b).AsUInt32())
        : a * Vector512.Create((ulong)b);
}
