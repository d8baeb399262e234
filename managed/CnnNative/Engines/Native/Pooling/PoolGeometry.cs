using System.Runtime.InteropServices;

namespace CnnNative.Engines.Native;

/// <summary>The sizes of one pooling as its kernels take them; the twin of the structure in native/kernels/pool/pool_geometry.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct PoolGeometry
{
    public readonly int Height, Width, WindowHeight, WindowWidth, PadHeight, PadWidth, DilationHeight, DilationWidth;
    public readonly int CountIncludePad;
    public readonly FastDivisor OutHeight, OutWidth, InHeight, InWidth, StrideHeight, StrideWidth, ChannelVectors;
    public readonly int Outputs, Inputs;

    /// <summary>The sizes of a problem in a layout, with so many channels to a thread (1 in NCHW).</summary>
    /// <exception cref="EngineNotSupportedException">More elements than an int counts.</exception>
    public PoolGeometry(in PoolingProblem p, Layout layout, int channelsPerThread)
    {
        (Height, Width, WindowHeight, WindowWidth) = (p.H, p.W, p.R, p.S);
        (PadHeight, PadWidth, DilationHeight, DilationWidth) = (p.PadH, p.PadW, p.DilationH, p.DilationW);
        CountIncludePad = p.CountIncludePad ? 1 : 0;
        (OutHeight, OutWidth, InHeight, InWidth) = (new(p.P), new(p.Q), new(p.H), new(p.W));
        (StrideHeight, StrideWidth) = (new(p.StrideH), new(p.StrideW));
        ChannelVectors = new(layout == Layout.Nhwc ? p.C / channelsPerThread : 1);
        Outputs = Index32.Of("Pooling", p.OutputShape.Count / channelsPerThread);
        Inputs = Index32.Of("Pooling", p.InputShape.Count / channelsPerThread);
    }
}
