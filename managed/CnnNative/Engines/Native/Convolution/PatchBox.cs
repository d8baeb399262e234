namespace CnnNative.Engines.Native;

/// <summary>
/// The pixels of an image that windows begin at, as the copy engine wants them (im2col): a box from a lower to an upper corner, in which it
/// steps by the strides of the convolution, and taps that it adds. Windows begin at their lowest tap, since the engine adds nothing negative:
/// the taps of a phase of the data gradient run backwards. Along one axis; the twin of tapShift in native/kernels/conv/wgmma_patch.h.
/// </summary>
/// <param name="Lower">The first window's lowest tap: a pixel, or beyond the edge.</param>
/// <param name="Upper">One after that of the last window, counted from the image's end.</param>
/// <param name="Reach">From the lowest tap to the highest.</param>
/// <param name="Stride">From one window to the next.</param>
internal readonly record struct PatchBox(int Lower, int Upper, int Reach, int Stride)
{
    /// <summary>Corners have eight bits, taps eight, steps three.</summary>
    private const int Corner = 128, MostReach = 255, MostStride = 8;

    /// <summary>Whether the copy engine has bits enough for it.</summary>
    public bool Fits => Lower is >= -Corner and < Corner && Upper is >= -Corner and < Corner && Reach <= MostReach && Stride <= MostStride;

    /// <summary>The rows of a convolution.</summary>
    public static PatchBox Rows(in ConvGeometry g) => Of(g.OriginH, g.WindowHeight, g.TapH, g.StrideH, g.OutHeight, g.Height);

    /// <summary>Its columns.</summary>
    public static PatchBox Columns(in ConvGeometry g) => Of(g.OriginW, g.WindowWidth, g.TapW, g.StrideW, g.OutWidth, g.Width);

    private static PatchBox Of(int origin, int taps, int step, int stride, int windows, int size)
    {
        var reach = Math.Max(0, taps - 1) * Math.Abs(step);
        var lower = step < 0 ? origin - reach : origin;
        return new(lower, lower + (windows - 1) * stride + 1 - size, reach, stride);
    }
}
