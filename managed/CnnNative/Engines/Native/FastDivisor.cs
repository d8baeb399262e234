using System.Numerics;
using System.Runtime.InteropServices;

namespace CnnNative.Engines.Native;

/// <summary>
/// Division of a non-negative int by a number known at launch, as a multiplication (Granlund and Montgomery, "Division by
/// invariant integers using multiplication", 1994); the twin of the structure in native/kernels/common/divide.h.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FastDivisor
{
    private readonly uint divisor;
    private readonly uint multiplier;
    private readonly int shift;

    /// <summary>The numbers for one divisor; 0, which only empty tensors bring and nothing divides by, is taken as 1.</summary>
    public FastDivisor(int divisor)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(divisor);
        this.divisor = (uint)Math.Max(1, divisor);
        shift = 32 - BitOperations.LeadingZeroCount(this.divisor - 1);
        multiplier = (uint)(((1ul << 32) * ((1ul << shift) - this.divisor) / this.divisor) + 1);
    }

    /// <summary>What the kernels compute.</summary>
    public int Divide(int value) => (int)((uint)(((ulong)(uint)value * multiplier) >> 32) + (uint)value >> shift);
}
