namespace CnnNative.Engines.Native;

/// <summary>Sizes that kernels index with 32 bits.</summary>
internal static class Index32
{
    /// <summary>The largest size. The last threads of a grid compute indices past the end before they see that they are: those must not wrap around.</summary>
    public const int Most = int.MaxValue - 4096;

    /// <summary>The size as an int.</summary>
    /// <param name="operation">Who asks, for the message.</param>
    /// <param name="size">Elements, vectors of elements or lines.</param>
    /// <exception cref="EngineNotSupportedException">It is larger than <see cref="Most"/>.</exception>
    public static int Of(string operation, long size) => size <= Most
        ? (int)size
        : throw new EngineNotSupportedException("Native", operation, $"{size:N0} elements at once: it counts to {Most:N0}");
}
