namespace CnnNative.Engines.Native;

/// <summary>Dropout whose mask is computed again from the counter whenever it is needed.</summary>
internal sealed class NativeDropout(NativeContext context) : IDropout
{
    public void Apply(Tensor x, float probability, long unitSize, RandomStream stream, Tensor y)
    {
        if (y.Count == 0) return;
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        context.Kernels.Dropout(
            y.DType, MapLaunch.For(y), source, target, y.Count, probability, 1f / (1f - probability), unitSize,
            new RandomSource(stream, context.RandomBase), ElementOrder.Of("Dropout", y));
    }
}
