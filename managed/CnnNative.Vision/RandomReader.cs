using CnnNative.Engines.Cpu;

namespace CnnNative.Vision;

/// <summary>Draws the words of one random stream one after the other. The same on every machine: integers, and floats that they convert to exactly.</summary>
internal struct RandomReader(RandomStream stream)
{
    private readonly RandomStream stream = stream;
    private ulong nextBlock;
    private (uint W0, uint W1, uint W2, uint W3) words;
    private int left;

    /// <summary>The next 32 bits.</summary>
    public uint Word()
    {
        if (left == 0)
        {
            words = Philox.Block(
                ((uint)nextBlock, (uint)(nextBlock >> 32), (uint)stream.Stream, (uint)(stream.Stream >> 32)),
                ((uint)stream.Seed, (uint)(stream.Seed >> 32)));
            nextBlock++;
            left = 4;
        }

        return left-- switch
        {
            4 => words.W0,
            3 => words.W1,
            2 => words.W2,
            _ => words.W3,
        };
    }

    /// <summary>An integer in [0, bound), from 64 bits: no value is preferred by more than bound / 2^64.</summary>
    public int Below(int bound)
    {
        var bits = (ulong)Word() << 32 | Word();
        return (int)Math.BigMul(bits, (ulong)bound, out _);
    }

    /// <summary>Uniform in [0, 1), a multiple of 2^-24.</summary>
    public float Unit() => (Word() >> 8) * (1f / (1 << 24));

    /// <summary>Uniform in [low, high).</summary>
    public float Between(float low, float high) => low + (high - low) * Unit();

    /// <summary>Bell-shaped with mean 0 and deviation 1, within 3.5: a sum of four uniform numbers, so that no logarithm or cosine is needed.</summary>
    public float Bell()
    {
        const float Sqrt3 = 1.7320508f;
        return (Unit() + Unit() + Unit() + Unit() - 2f) * Sqrt3;
    }
}
