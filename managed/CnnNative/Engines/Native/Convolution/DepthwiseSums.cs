using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// How the gradient of a depthwise convolution by filters of any window is divided over blocks; the twin of the structure in
/// native/kernels/conv/depthwise_wgrad_any.cu.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DepthwiseSums
{
    private const int Threads = 128, Warp = 32;

    /// <summary>Pixels that a thread adds up at least, so that adding the threads' sums is the smaller part.</summary>
    private const int LeastPixels = 8;

    public int Pixels, PixelsPerSplit;
    public FastDivisor ByMultiplier;

    /// <summary>Splits that give the device the blocks it wants, but no more partial results than a tenth of the gradient itself.</summary>
    /// <param name="p">The sizes.</param>
    /// <param name="layout">NCHW: a block per filter; NHWC: per 32 of them.</param>
    /// <param name="wanted">Blocks that fill the device.</param>
    public static DepthwiseSums Cut(in ConvolutionProblem p, Layout layout, long wanted)
    {
        var pixels = p.N * p.P * p.Q;
        var sharing = layout == Layout.Nhwc ? Threads / Warp : Threads;
        var most = Math.Max(1, Math.Min(pixels / (10L * p.R * p.S), pixels / (sharing * LeastPixels)));
        var groups = Groups(p, layout);
        var splits = (int)Math.Clamp((wanted + groups - 1) / groups, 1, Math.Min(most, 65535));
        return new() { Pixels = pixels, PixelsPerSplit = Math.Max(1, (int)(((long)pixels + splits - 1) / splits)), ByMultiplier = new(p.K / p.C) };
    }

    /// <summary>Splits that are not empty; one without pixels, whose sums are zeros.</summary>
    public readonly int Splits => Math.Max(1, (int)(((long)Pixels + PixelsPerSplit - 1) / PixelsPerSplit));

    /// <summary>A block per group of filters and split.</summary>
    public readonly LaunchConfiguration Launch(in ConvolutionProblem p, Layout layout) => new(new Dim3(Groups(p, layout), Splits), Threads);

    private static int Groups(in ConvolutionProblem p, Layout layout) => layout == Layout.Nhwc ? (p.K + Warp - 1) / Warp : p.K;
}
