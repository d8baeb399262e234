using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>One parameter of a launch; the twin of the structure in native/kernels/optim/sgd.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SgdParameter
{
    public DevicePointer W, Gradient, Velocity;
    public long Count;
    public int FirstBlock;
}

/// <summary>The parameters of a launch; the twin of the structure in native/kernels/optim/sgd.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SgdParameters
{
    public Slots At;
    public int Count;

    /// <summary>As many as fit the arguments of a kernel.</summary>
    [InlineArray(Capacity)]
    public struct Slots
    {
        public const int Capacity = 96;
        private SgdParameter first;
    }
}

/// <summary>The settings of a step; the twin of the structure in native/kernels/optim/sgd.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SgdRule
{
    public float Rate, Momentum, Keep, Decay;
    public int Nesterov, First;
}

/// <summary>One parameter of a launch; the twin of the structure in native/kernels/optim/adam.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AdamParameter
{
    public DevicePointer W, Gradient, Mean, Square;
    public long Count;
    public int FirstBlock;
}

/// <summary>The parameters of a launch; the twin of the structure in native/kernels/optim/adam.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AdamParameters
{
    public Slots At;
    public int Count;

    /// <summary>As many as fit the arguments of a kernel.</summary>
    [InlineArray(Capacity)]
    public struct Slots
    {
        public const int Capacity = 80;
        private AdamParameter first;
    }
}

/// <summary>The settings of a step; the twin of the structure in native/kernels/optim/adam.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AdamRule
{
    public double Rate, Beta1, Beta2;
    public long Step;
    public float Eps, Decay;
}

/// <summary>One tensor of a launch; the twin of the structure in native/kernels/optim/gradients.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GradientTensor
{
    public DevicePointer Values;
    public long Count;
    public int FirstBlock;
}

/// <summary>The tensors of a launch; the twin of the structure in native/kernels/optim/gradients.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GradientTensors
{
    public Slots At;
    public int Count;

    /// <summary>As many as fit the arguments of a kernel.</summary>
    [InlineArray(Capacity)]
    public struct Slots
    {
        public const int Capacity = 160;
        private GradientTensor first;
    }
}
