namespace CnnNative.Tests.Functions;

/// <summary>Philox 4x32-10 from the paper (Salmon et al., 2011), one block at a time.</summary>
internal static class PhiloxReference
{
    /// <summary>The block whose counter is (low, high, low and high word of the stream) and whose key is the seed.</summary>
    public static uint[] Block(uint low, uint high, RandomStream stream)
    {
        uint[] counter = [low, high, (uint)stream.Stream, (uint)(stream.Stream >> 32)];
        var (key0, key1) = ((uint)stream.Seed, (uint)(stream.Seed >> 32));
        for (var round = 0; round < 10; round++)
        {
            var (first, second) = (0xD2511F53UL * counter[0], 0xCD9E8D57UL * counter[2]);
            counter = [(uint)(second >> 32) ^ counter[1] ^ key0, (uint)second, (uint)(first >> 32) ^ counter[3] ^ key1, (uint)first];
            (key0, key1) = (unchecked(key0 + 0x9E3779B9), unchecked(key1 + 0xBB67AE85));
        }

        return counter;
    }
}
