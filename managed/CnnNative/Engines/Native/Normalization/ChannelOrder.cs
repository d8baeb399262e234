namespace CnnNative.Engines.Native;

/// <summary>How the channels of neighbouring elements follow; the twin of the enumeration in native/kernels/norm/channel_map.h.</summary>
internal enum ChannelOrder
{
    /// <summary>Runs of whole vectors: one channel per vector.</summary>
    Run,

    /// <summary>Channels are neighbours, their number a multiple of the vector.</summary>
    Consecutive,

    /// <summary>Neither.</summary>
    Any,
}
