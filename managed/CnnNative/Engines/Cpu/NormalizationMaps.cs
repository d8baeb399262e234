using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// y = min(max((x - mean) * factor + shift + residual, low), high), NaN stays: the subtraction first, so that a large mean costs no digits.
/// </summary>
internal readonly struct NormalizeMap(Vector512<float> mean, Vector512<float> factor, Vector512<float> shift, ClampRange range) : IMap, IMapPair
{
    private readonly Vector512<float> mean = mean, factor = factor, shift = shift, low = Vector512.Create(range.Low), high = Vector512.Create(range.High);

    /// <summary>The same for one channel.</summary>
    public NormalizeMap(float mean, float factor, float shift, ClampRange range)
        : this(Vector512.Create(mean), Vector512.Create(factor), Vector512.Create(shift), range)
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> x) => Clamp(Vector512.FusedMultiplyAdd(x - mean, factor, shift));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> x, Vector512<float> residual) =>
        Clamp(Vector512.FusedMultiplyAdd(x - mean, factor, shift) + residual);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<float> Clamp(Vector512<float> z) => Vector512.MinNative(high, Vector512.MaxNative(low, z));
}

/// <summary>dz = dy where y lies within the range, the ends excluded, or is NaN.</summary>
internal readonly struct ClampGradientMap(ClampRange range) : IMapPair
{
    private readonly Vector512<float> low = Vector512.Create(range.Low), high = Vector512.Create(range.High);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> y, Vector512<float> dy)
    {
        var outside = Vector512.LessThanOrEqual(y, low) | Vector512.GreaterThanOrEqual(y, high);
        return Vector512.ConditionalSelect(outside, Vector512<float>.Zero, dy);
    }
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
