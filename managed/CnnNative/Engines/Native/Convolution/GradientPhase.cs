namespace CnnNative.Engines.Native;

/// <summary>
/// A part of the gradient by the input. With a stride s, rows of dx whose place in the padded image has the same remainder by s
/// see the same taps; for them the gradient is a convolution of dy with stride 1, with those taps backwards. Along one axis.
/// </summary>
/// <param name="FirstTap">First tap that the phase meets.</param>
/// <param name="TapStep">From one such tap to the next.</param>
/// <param name="Taps">How many; none means a gradient of zero.</param>
/// <param name="First">First index of dx in the phase.</param>
/// <param name="Count">How many indices, s apart.</param>
/// <param name="Origin">Index of dy that the first tap reads for the first index of dx.</param>
/// <param name="Step">How far apart in dy the taps read: not positive.</param>
internal readonly record struct GradientPhase(int FirstTap, int TapStep, int Taps, int First, int Count, int Origin, int Step)
{
    /// <summary>The phase of one remainder.</summary>
    /// <param name="remainder">From 0 to stride - 1.</param>
    /// <param name="size">Size of dx.</param>
    /// <param name="pad">Padding before it.</param>
    /// <param name="stride">Step of the window.</param>
    /// <param name="dilation">Distance of taps.</param>
    /// <param name="window">Taps.</param>
    public static GradientPhase Of(int remainder, int size, int pad, int stride, int dilation, int window)
    {
        var common = Common(stride, dilation);
        var tapStep = stride / common;
        var firstTap = 0;
        while (firstTap < Math.Min(window, tapStep) && firstTap * (long)dilation % stride != remainder) firstTap++;
        var taps = firstTap < Math.Min(window, tapStep) ? (window - firstTap + tapStep - 1) / tapStep : 0;
        // Place i * stride + remainder of the padded image is index i * stride + remainder - pad of dx.
        var firstPlace = Math.Max(0, (pad - remainder + stride - 1) / stride);
        var first = firstPlace * stride + remainder - pad;
        var count = first < size ? (size - first + stride - 1) / stride : 0;
        return new(firstTap, tapStep, taps, first, count, firstPlace - (int)((firstTap * (long)dilation - remainder) / stride), -dilation / common);
    }

    private static int Common(int a, int b) => b == 0 ? a : Common(b, a % b);
}
