using System.Runtime.InteropServices;

namespace CnnNative.Engines.Native;

/// <summary>
/// How the index of an element in NCHW order follows from its place in memory; the twin of the structure in
/// native/kernels/common/element_order.h.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct ElementOrder
{
    private readonly FastDivisor channels, pixels;
    private readonly int channelsLast;

    private ElementOrder(FastDivisor channels, FastDivisor pixels, int channelsLast) => (this.channels, this.pixels, this.channelsLast) = (channels, pixels, channelsLast);

    /// <summary>The order of a tensor's elements.</summary>
    /// <exception cref="EngineNotSupportedException">NHWC with more elements than an int counts.</exception>
    public static ElementOrder Of(string operation, Tensor tensor)
    {
        if (tensor.Layout == Layout.Nchw) return new(new(1), new(1), 0);
        _ = Index32.Of(operation, tensor.Count);
        return new(new(tensor.Shape[1]), new((int)tensor.Shape.CountFrom(2)), 1);
    }
}
