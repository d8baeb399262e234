using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>y = max(x, 0), NaN stays.</summary>
internal readonly struct ReluMap : IMap
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> x) => Vector512.MaxNative(Vector512<float>.Zero, x);
}

/// <summary>dx = dy where y is above 0, or NaN.</summary>
internal readonly struct ReluGradientMap : IMapPair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> y, Vector512<float> dy) =>
        Vector512.ConditionalSelect(Vector512.LessThanOrEqual(y, Vector512<float>.Zero), Vector512<float>.Zero, dy);
}

/// <summary>y = min(max(x, 0), 6), NaN stays.</summary>
internal readonly struct Relu6Map : IMap
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> x) => Vector512.MinNative(Vector512.Create(6f), Vector512.MaxNative(Vector512<float>.Zero, x));
}

/// <summary>dx = dy where y lies between 0 and 6, the ends excluded.</summary>
internal readonly struct Relu6GradientMap : IMapPair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> y, Vector512<float> dy)
    {
        var outside = Vector512.LessThanOrEqual(y, Vector512<float>.Zero) | Vector512.GreaterThanOrEqual(y, Vector512.Create(6f));
        return Vector512.ConditionalSelect(outside, Vector512<float>.Zero, dy);
    }
}

/// <summary>y = 1 / (1 + exp(-x)).</summary>
internal readonly struct SigmoidMap : IMap
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> x) => VectorMath.Sigmoid(x);
}

/// <summary>dx = dy y (1 - y).</summary>
internal readonly struct SigmoidGradientMap : IMapPair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> y, Vector512<float> dy) => dy * (y * (Vector512<float>.One - y));
}

/// <summary>y = tanh(x).</summary>
internal readonly struct TanhMap : IMap
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> x) => VectorMath.Tanh(x);
}

/// <summary>dx = dy (1 - y^2).</summary>
internal readonly struct TanhGradientMap : IMapPair
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Apply(Vector512<float> y, Vector512<float> dy) => dy * Vector512.FusedMultiplyAdd(-y, y, Vector512<float>.One);
}
