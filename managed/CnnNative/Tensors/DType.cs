namespace CnnNative;

/// <summary>The element type of a tensor.</summary>
public enum DType
{
    /// <summary>IEEE 754 binary32.</summary>
    Float32,

    /// <summary>bfloat16: the upper half of a binary32.</summary>
    BFloat16,

    /// <summary>IEEE 754 binary16.</summary>
    Float16,

    /// <summary>64-bit signed integer; class labels.</summary>
    Int64,

    /// <summary>32-bit signed integer.</summary>
    Int32,

    /// <summary>8-bit unsigned integer; pixels, window positions.</summary>
    UInt8,
}

/// <summary>Facts about data types.</summary>
public static class DTypes
{
    /// <summary>Bytes per element.</summary>
    /// <param name="type">The data type.</param>
    public static int Size(this DType type) => type switch
    {
        DType.Float32 or DType.Int32 => 4,
        DType.BFloat16 or DType.Float16 => 2,
        DType.Int64 => 8,
        DType.UInt8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "unknown data type"),
    };

    /// <summary>Whether the elements are floating-point numbers.</summary>
    /// <param name="type">The data type.</param>
    public static bool IsFloating(this DType type) => type is DType.Float32 or DType.BFloat16 or DType.Float16;

    /// <summary>The data type whose elements are the C# type <typeparamref name="T"/>.</summary>
    /// <typeparam name="T">float, Half, long, int or byte.</typeparam>
    /// <exception cref="NotSupportedException">No data type has such elements.</exception>
    public static DType Of<T>() where T : unmanaged
    {
        if (typeof(T) == typeof(float)) return DType.Float32;
        if (typeof(T) == typeof(long)) return DType.Int64;
        if (typeof(T) == typeof(int)) return DType.Int32;
        if (typeof(T) == typeof(byte)) return DType.UInt8;
        if (typeof(T) == typeof(Half)) return DType.Float16;
        throw new NotSupportedException($"no tensor data type has elements of type {typeof(T).Name}");
    }
}
