using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>How the backward pass knows where an activation lets the gradient pass; the twin of the enumeration in native/kernels/norm/activation.h.</summary>
internal enum Gate
{
    /// <summary>Everywhere: the identity.</summary>
    Open,

    /// <summary>It computes the forward pass's result again from x.</summary>
    Recomputed,

    /// <summary>From a bit per element.</summary>
    Recorded,
}

/// <summary>What follows the statistics; the twin of the structure in native/kernels/norm/batch_norm_forward.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BatchNormOutput
{
    public DevicePointer Gamma, Beta;
    public ClampRange Clamp;
}

/// <summary>Where the statistics of a batch go; the twin of the structure in native/kernels/norm/batch_norm_forward.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BatchStatistics
{
    public DevicePointer Mean, Inverse, RunningMean, RunningVariance;
    public float Momentum, Eps;
}

/// <summary>The tensors of the backward pass; the twin of the structure in native/kernels/norm/batch_norm_backward.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BatchNormGradients
{
    public DevicePointer Gamma, Beta, Mean, Inverse, Dgamma, Dbeta, Decisions;
    public ClampRange Clamp;
    public Gate Gate;
    public float M;
    public int Batch;
}
