namespace CnnNative.Engines.Cpu;

/// <summary>
/// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a bijection of 128-bit counters
/// keyed by 64 bits. Element i of a <see cref="RandomStream"/> is word i % 4 of block i / 4.
/// </summary>
internal static class Philox
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>The four words of one block.</summary>
    public static (uint W0, uint W1, uint W2, uint W3) Block(RandomStream stream, ulong block)
    {
        var (c0, c1) = ((uint)block, (uint)(block >> 32));
        var (c2, c3) = ((uint)stream.Stream, (uint)(stream.Stream >> 32));
        var (k0, k1) = ((uint)stream.Seed, (uint)(stream.Seed >> 32));
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
}
