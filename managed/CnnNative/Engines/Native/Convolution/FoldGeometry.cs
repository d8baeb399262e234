using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>The gradient of padding that shows pixels of the image; the twin of the structure in native/kernels/conv/fold_padding.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FoldGeometry
{
    private const int Threads = 256;
    private const int MostImages = 65535;

    public ImageStrides Padded, Image;
    public int Images, Height, Width, Top, Bottom, Left, Right;
    public PaddingMode Padding;
    public int Count;
    public FastDivisor Inner, Middle;

    /// <summary>Of the image that a problem pads.</summary>
    /// <param name="p">The sizes.</param>
    /// <param name="layout">Layout of both gradients.</param>
    public static FoldGeometry Of(in ConvolutionProblem p, Layout layout)
    {
        int height = p.H + p.PadTop + p.PadBottom, width = p.W + p.PadLeft + p.PadRight;
        var last = layout == Layout.Nhwc;
        return new()
        {
            Padded = ImageStrides.Of(layout, p.C, height, width), Image = ImageStrides.Of(layout, p.C, p.H, p.W),
            Images = p.N, Height = p.H, Width = p.W, Top = p.PadTop, Bottom = p.PadBottom, Left = p.PadLeft, Right = p.PadRight,
            Padding = p.PaddingMode, Count = p.C * p.H * p.W, Inner = new(last ? p.C : p.W), Middle = new(last ? p.W : p.H),
        };
    }

    /// <summary>A thread per element of an image, images in the second dimension.</summary>
    public readonly LaunchConfiguration Launch() => new(new Dim3((Count + Threads - 1) / Threads, Math.Min(Images, MostImages)), Threads);
}
