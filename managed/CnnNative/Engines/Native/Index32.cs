namespace CnnNative.Engines.Native;

/// <summary>Sizes that kernels index with 32 bits.</summary>
internal static class Index32
{
    /// <summary>The size as an int.</summary>
    /// <param name="operation">Who asks, for the message.</param>
    /// <param name="size">Elements, vectors of elements or lines.</param>
    /// <exception cref="EngineNotSupportedException">It is larger than 2^31 - 1.</exception>
    public static int Of(string operation, long size) => size <= int.MaxValue
        ? (int)size
        : throw new EngineNotSupportedException("Native", operation, $"{size:N0} elements at once: it counts to {int.MaxValue:N0}");
}
