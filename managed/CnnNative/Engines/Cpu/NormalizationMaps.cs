using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>y = (x - mean) * factor + shift: the subtraction first, so that a large mean costs no digits.</summary>
internal readonly struct NormalizeMap(Vector512<float> mean, Vector512<float> factor, Vector512<float> shift) : IMap
{
    private readonly Vector512<float> mean = mean, factor = factor, shift = shift;

    /// <summary>The same for one channel.</summary>
    public NormalizeMap(float mean, float factor, float shift) : this(Vector512.Create(mean), Vector512.Create(factor), Vector512.Create(shift))
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> x) => Vector512.FusedMultiplyAdd(x - mean, factor, shift);
}

/// <summary>
/// dx = factor * (dy - constant - (x - mean) * slope), where with batch statistics over M elements
/// constant = sum(dy) / M and slope = sum(dy * (x - mean)) / (deviation^2 M); else both are 0. What cancels is subtracted
/// before it is scaled, so that it cancels exactly.
/// </summary>
internal readonly struct NormalizeGradientMap(Vector512<float> mean, Vector512<float> factor, Vector512<float> slope, Vector512<float> constant) : IMapPair
{
    private readonly Vector512<float> mean = mean, factor = factor, slope = slope, constant = constant;

    /// <summary>The same for one channel.</summary>
    public NormalizeGradientMap(float mean, float factor, float slope, float constant)
        : this(Vector512.Create(mean), Vector512.Create(factor), Vector512.Create(slope), Vector512.Create(constant))
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> x, Vector512<float> dy) =>
        factor * Vector512.FusedMultiplyAdd(mean - x, slope, dy - constant);
}
