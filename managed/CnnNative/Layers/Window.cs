namespace CnnNative.Layers;

/// <summary>The window through which one output pixel of a layer sees its input.</summary>
/// <param name="Kernel">Size.</param>
/// <param name="Stride">Step.</param>
/// <param name="Dilation">Distance of taps.</param>
public readonly record struct Window(Pair Kernel, Pair Stride, Pair Dilation);
