using System.Runtime.InteropServices;

namespace CnnNative.Engines.Native;

/// <summary>Where (n, c, h, w) stands in memory, in elements; the twin of the structure in native/kernels/conv/geometry.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ImageStrides
{
    public long Image;
    public int Channel, Row, Column;

    /// <summary>The strides of a dense tensor.</summary>
    public static ImageStrides Of(Layout layout, int channels, int height, int width) => layout == Layout.Nhwc
        ? new() { Image = (long)channels * height * width, Channel = 1, Row = width * channels, Column = channels }
        : new() { Image = (long)channels * height * width, Channel = height * width, Row = width, Column = 1 };
}

/// <summary>What kernels know of a convolution, in sizes of one group; the twin of the structure in native/kernels/conv/geometry.h, which explains it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ConvGeometry
{
    public ImageStrides In, Out;
    public int Images, Channels, Height, Width;
    public int Filters, OutHeight, OutWidth;
    public int WindowHeight, WindowWidth;
    public int StrideH, StrideW, OriginH, OriginW, TapH, TapW;
    public PaddingMode Padding;
    public int WideIn, WideWeights;
    public WideStore WideOut;
    public FastDivisor ByOutPixels, ByOutWidth, ByWindow, ByWindowWidth, ByChannels;

    /// <summary>Output pixels of all images.</summary>
    public readonly int Pixels => Images * OutHeight * OutWidth;

    /// <summary>Elements of a window, over the channels of a group.</summary>
    public readonly int PatchLength => Channels * WindowHeight * WindowWidth;

    /// <summary>The forward pass, which the gradient by the filters shares.</summary>
    /// <param name="problem">The sizes.</param>
    /// <param name="x">Layout of the images read.</param>
    /// <param name="y">Layout of the images written.</param>
    public static ConvGeometry Forward(in ConvolutionProblem problem, Layout x, Layout y) => new ConvGeometry
    {
        In = ImageStrides.Of(x, problem.C, problem.H, problem.W), Out = ImageStrides.Of(y, problem.K, problem.P, problem.Q),
        Images = problem.N, Channels = problem.C / problem.Groups, Height = problem.H, Width = problem.W,
        Filters = problem.K / problem.Groups, OutHeight = problem.P, OutWidth = problem.Q,
        WindowHeight = problem.R, WindowWidth = problem.S, StrideH = problem.StrideH, StrideW = problem.StrideW,
        OriginH = -problem.PadTop, OriginW = -problem.PadLeft, TapH = problem.DilationH, TapW = problem.DilationW, Padding = problem.PaddingMode,
    }.Divided();

    /// <summary>With the divisors that belong to the sizes.</summary>
    public readonly ConvGeometry Divided() => this with
    {
        ByOutPixels = new(OutHeight * OutWidth), ByOutWidth = new(OutWidth), ByWindow = new(WindowHeight * WindowWidth), ByWindowWidth = new(WindowWidth),
        ByChannels = new(Channels),
    };

    /// <summary>With 16-byte accesses where the layouts and these addresses allow them.</summary>
    /// <param name="unit">Elements of 16 bytes.</param>
    /// <param name="images">Whether the images read stand at a multiple of 16 bytes.</param>
    /// <param name="filters">Whether the filters do.</param>
    /// <param name="result">Whether the images written do.</param>
    public readonly ConvGeometry Widened(int unit, bool images, bool filters, bool result) => this with
    {
        WideIn = images && In.Channel == 1 && Units(unit, Channels, In.Column, In.Row, In.Image) ? 1 : 0,
        WideWeights = filters && Units(unit, PatchLength) ? 1 : 0,
        WideOut = !result ? WideStore.None
            : Out.Channel == 1 && Units(unit, Filters, Out.Column, Out.Row, Out.Image) ? WideStore.Rows
            : Out.Column == 1 && Out.Row == OutWidth && Units(unit, OutHeight * OutWidth, Out.Channel, Out.Image) ? WideStore.Columns
            : WideStore.None,
    };

    private static bool Units(int unit, params ReadOnlySpan<long> sizes)
    {
        foreach (var size in sizes)
        {
            if (size % unit != 0) return false;
        }

        return true;
    }
}
