using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Random tensors, a block of four numbers per thread.</summary>
internal sealed class NativeRandom(NativeContext context) : IRandom
{
    public void Uniform(Tensor y, float low, float high, RandomStream stream)
    {
        if (y.Count == 0) return;
        using var target = y.OnDevice();
        // The largest results would round up to the bound itself.
        var largest = low < high ? MathF.BitDecrement(high) : low;
        context.Kernels.Uniform(y.DType, Launch(y), target, y.Count, low, high - low, largest, Source(stream), ElementOrder.Of("Uniform", y));
    }

    public void Normal(Tensor y, float mean, float deviation, RandomStream stream)
    {
        if (y.Count == 0) return;
        using var target = y.OnDevice();
        context.Kernels.Normal(y.DType, Launch(y), target, y.Count, mean, deviation, Source(stream), ElementOrder.Of("Normal", y));
    }

    private static LaunchConfiguration Launch(Tensor y)
    {
        const int numbersPerBlockOfPhilox = 4;
        return MapLaunch.Over(y.Count, numbersPerBlockOfPhilox);
    }

    private RandomSource Source(RandomStream stream) => new(stream, context.RandomBase);
}
