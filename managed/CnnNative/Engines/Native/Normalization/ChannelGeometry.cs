using System.Runtime.InteropServices;

namespace CnnNative.Engines.Native;

/// <summary>Sizes of a tensor as channels; the twin of the structure in native/kernels/norm/channels.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ChannelGeometry
{
    public int Channels, Width, Vectors, Lanes, Keeps;
    public FastDivisor Plane;
}

/// <summary>How the channel of an element follows from its number; the twin of the structure in native/kernels/norm/channel_map.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct ChannelMap
{
    private readonly long count;
    private readonly int order;
    private readonly FastDivisor channels, pixels;

    /// <summary>The map of a tensor (N, C, ...).</summary>
    /// <exception cref="EngineNotSupportedException">More elements than an int counts.</exception>
    public ChannelMap(Tensor x)
    {
        count = Index32.Of("BatchNorm", x.Count);
        var run = x.Layout == Layout.Nhwc ? 1 : (int)x.Shape.CountFrom(2);
        order = (int)OrderOf(run, x.Shape[1], MapLaunch.Width(x.DType));
        (channels, pixels) = (new(x.Shape[1]), new(run));
    }

    /// <summary>The order for runs of a length, in vectors of a width.</summary>
    public static ChannelOrder OrderOf(int run, int channels, int width) =>
        run % width == 0 ? ChannelOrder.Run : run == 1 && channels % width == 0 ? ChannelOrder.Consecutive : ChannelOrder.Any;
}
