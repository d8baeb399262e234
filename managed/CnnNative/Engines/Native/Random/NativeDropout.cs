namespace CnnNative.Engines.Native;

/// <summary>Dropout whose mask is computed again from the counter whenever it is needed.</summary>
internal sealed class NativeDropout(NativeContext context) : IDropout
{
    public void Apply(Tensor x, float probability, long unitSize, RandomStream stream, Tensor y)
    {
        if (y.Count == 0) return;
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        var (factor, random, order) = (1f / (1f - probability), new RandomSource(stream, context.RandomBase), ElementOrder.Of("Dropout", y));
        if (unitSize == 1 && TakesQuads(y, source.Pointer.Address | target.Pointer.Address))
        {
            var width = MapLaunch.Width(y.DType);
            var quads = (int)(y.Count / (4 * width));
            context.Kernels.DropoutQuads(
                y.DType, MapLaunch.Over(quads), source, target, quads, probability, factor, random, order, new FastDivisor(y.Shape[1] / width));
        }
        else
        {
            context.Kernels.Dropout(y.DType, MapLaunch.For(y), source, target, y.Count, probability, factor, unitSize, random, order);
        }
    }

    /// <summary>Whether four neighbouring pixels of 16 bytes of channels are whole blocks of random numbers: in NHWC, where the sizes allow.</summary>
    private static bool TakesQuads(Tensor y, ulong addresses) =>
        y.Layout == Layout.Nhwc && y.Shape[1] % MapLaunch.Width(y.DType) == 0 && y.Shape.CountFrom(2) % 4 == 0 && addresses % 16 == 0;
}
