namespace CnnNative.Engines.Cpu;

/// <summary>Random tensors; element i of a tensor, in NCHW order, takes element i of the stream.</summary>
internal sealed unsafe class CpuRandom(CpuThreads threads) : IRandom
{
    private const float Unit = 1f / (1 << 24);

    public void Uniform(Tensor y, float low, float high, RandomStream stream)
    {
        using var pinned = y.Pin<float>();
        float* target = pinned;
        threads.For(y.Count, 1 << 14, (first, last) =>
        {
            for (var i = first; i < last; i++) target[i] = low + (high - low) * (Word(stream, i) >> 8) * Unit;
        });
    }

    public void Normal(Tensor y, float mean, float deviation, RandomStream stream)
    {
        using var pinned = y.Pin<float>();
        float* target = pinned;
        threads.For(y.Count, 1 << 14, (first, last) =>
        {
            for (var i = first; i < last; i++) target[i] = mean + deviation * BoxMuller(stream, i);
        });
    }

    private static float BoxMuller(RandomStream stream, long i)
    {
        var a = Word(stream, i & ~1L) >> 8;
        var b = Word(stream, i | 1) >> 8;
        var radius = MathF.Sqrt(-2f * MathF.Log((a + 1) * Unit));
        var angle = 2f * MathF.PI * (b * Unit);
        return radius * ((i & 1) == 0 ? MathF.Cos(angle) : MathF.Sin(angle));
    }

    private static uint Word(RandomStream stream, long i)
    {
        var (w0, w1, w2, w3) = Philox.Block(stream, (ulong)i / 4);
        return (i & 3) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 };
    }
}
