namespace CnnNative.Engines.Native;

/// <summary>One of something for each type of elements that kernels compute with.</summary>
/// <param name="make">Makes the one for a type.</param>
internal sealed class PerType<T>(Func<DType, T> make)
{
    private readonly T float32 = make(DType.Float32), bfloat16 = make(DType.BFloat16), float16 = make(DType.Float16);

    /// <summary>The one for a type.</summary>
    /// <param name="type">The type.</param>
    /// <param name="operation">Who asks, for the message.</param>
    /// <exception cref="EngineNotSupportedException">Kernels do not know the type.</exception>
    public T For(DType type, string operation) => type switch
    {
        DType.Float32 => float32,
        DType.BFloat16 => bfloat16,
        DType.Float16 => float16,
        _ => throw new EngineNotSupportedException("Native", operation, $"data type {type}"),
    };
}
