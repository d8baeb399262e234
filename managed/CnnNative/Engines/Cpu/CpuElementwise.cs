namespace CnnNative.Engines.Cpu;

/// <summary>Elementwise arithmetic in memory order.</summary>
internal sealed unsafe class CpuElementwise(CpuThreads threads) : IElementwise
{
    private const long Grain = 1 << 15;

    public void Fill(Tensor y, float value)
    {
        using var pinned = y.Pin<float>();
        float* target = pinned;
        threads.For(y.Count, Grain, (first, last) =>
        {
            for (var i = first; i < last; i++) target[i] = value;
        });
    }

    public void Add(Tensor a, Tensor b, Tensor y)
    {
        using var pinnedA = a.Pin<float>();
        using var pinnedB = b.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* left = pinnedA, right = pinnedB, target = pinnedY;
        threads.For(y.Count, Grain, (first, last) =>
        {
            for (var i = first; i < last; i++) target[i] = left[i] + right[i];
        });
    }

    public void Multiply(Tensor a, Tensor b, Tensor y)
    {
        using var pinnedA = a.Pin<float>();
        using var pinnedB = b.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* left = pinnedA, right = pinnedB, target = pinnedY;
        threads.For(y.Count, Grain, (first, last) =>
        {
            for (var i = first; i < last; i++) target[i] = left[i] * right[i];
        });
    }

    public void Scale(Tensor x, float factor, Tensor y)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* source = pinnedX, target = pinnedY;
        threads.For(y.Count, Grain, (first, last) =>
        {
            for (var i = first; i < last; i++) target[i] = factor * source[i];
        });
    }

    public void Sum(Tensor x, Tensor y)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* source = pinnedX;
        var sum = 0.0;
        for (long i = 0; i < x.Count; i++) sum += source[i];
        *pinnedY.Pointer = (float)sum;
    }

    public void Broadcast(Tensor scalar, float a, Tensor y)
    {
        using var pinned = scalar.Pin<float>();
        Fill(y, a * *pinned.Pointer);
    }
}
