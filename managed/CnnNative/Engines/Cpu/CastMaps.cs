using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>Elements of 16 bits as floats and back, rounded to nearest even, NaN staying NaN.</summary>
internal static unsafe class CastMaps
{
    /// <summary>The element at a place, as a float.</summary>
    public static float Load(byte* source, DType type, long i) => type switch
    {
        DType.Float32 => ((float*)source)[i],
        DType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)((ushort*)source)[i] << 16),
        DType.Float16 => (float)((Half*)source)[i],
        _ => throw Refusal(type),
    };

    /// <summary>Sets the element at a place.</summary>
    public static void Store(byte* target, DType type, long i, float value)
    {
        switch (type)
        {
            case DType.Float32: ((float*)target)[i] = value; break;
            case DType.BFloat16: ((ushort*)target)[i] = Bfloat(value); break;
            case DType.Float16: ((Half*)target)[i] = (Half)value; break;
            default: throw Refusal(type);
        }
    }

    /// <summary>y = x for sixteen elements at a time between float and bfloat16; gives how many it did.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long Run(byte* x, DType from, byte* y, DType to, long first, long last)
    {
        var i = first;
        if ((from, to) == (DType.BFloat16, DType.Float32))
        {
            for (; i + Lanes.Count <= last; i += Lanes.Count) Widen(Vector256.Load((ushort*)x + i)).Store((float*)y + i);
        }
        else if ((from, to) == (DType.Float32, DType.BFloat16))
        {
            for (; i + Lanes.Count <= last; i += Lanes.Count) Narrow(Vector512.Load((float*)x + i)).Store((ushort*)y + i);
        }

        return i;
    }

    private static EngineNotSupportedException Refusal(DType type) => new("Cpu", "Cast", $"data type {type}");

    private static ushort Bfloat(float value) => Narrow(Vector512.Create(value))[0];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Widen(Vector256<ushort> halves)
    {
        var (low, high) = Vector256.Widen(halves);
        return (Vector512.Create(low, high) << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Narrow(Vector512<float> values)
    {
        var bits = values.AsUInt32();
        var rounded = bits + Vector512.Create(0x7FFFu) + (bits >> 16 & Vector512<uint>.One);
        var upper = Vector512.ConditionalSelect(Vector512.IsNaN(values).AsUInt32(), Vector512.Create(0x7FFF0000u), rounded) >> 16;
        return Vector256.Narrow(upper.GetLower(), upper.GetUpper());
    }
}
