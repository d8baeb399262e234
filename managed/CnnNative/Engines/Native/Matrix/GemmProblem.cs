using System.Runtime.InteropServices;

namespace CnnNative.Engines.Native;

/// <summary>Sizes of a product; the twin of the structure in native/kernels/gemm/problem.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GemmProblem
{
    public int M, N, K;
    public int PitchA, PitchB;
    public int WideA, WideB, WideC;
    public long RowStride, ColumnStride;
    public long BatchA, BatchB, BatchC;
}

/// <summary>How the depth is divided over blocks; the twin of the structure in native/kernels/gemm/output.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DepthSplit
{
    public int Splits, StepsPerSplit;
    public long PartialStride;
}

/// <summary>The range that results are clamped to; the twin of the structure in native/kernels/gemm/output.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Epilogue
{
    public float Low, High;
}
