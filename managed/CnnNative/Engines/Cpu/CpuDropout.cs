namespace CnnNative.Engines.Cpu;

/// <summary>Dropout whose mask is computed again from the counter whenever it is needed.</summary>
internal sealed unsafe class CpuDropout(CpuThreads threads) : IDropout
{
    public void Apply(Tensor x, float probability, long unitSize, RandomStream stream, Tensor y)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* source = pinnedX, target = pinnedY;
        var scale = probability < 1f ? 1f / (1f - probability) : 0f;
        threads.For(x.Count, 1 << 14, (first, last) =>
        {
            for (var i = first; i < last; i++)
            {
                var (w0, w1, w2, w3) = Philox.Block(stream, (ulong)(i / unitSize) / 4);
                var word = (i / unitSize & 3) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 };
                target[i] = (word >> 8) * (1f / (1 << 24)) >= probability ? source[i] * scale : 0f;
            }
        });
    }
}
