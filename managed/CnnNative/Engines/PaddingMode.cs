namespace CnnNative.Engines;

/// <summary>What stands outside the image where a convolution's window leaves it.</summary>
public enum PaddingMode
{
    /// <summary>Zeros.</summary>
    Zeros,

    /// <summary>The image mirrored at its edge pixels, which are not repeated. Padding must be smaller than the image.</summary>
    Reflect,

    /// <summary>The nearest edge pixel.</summary>
    Replicate,

    /// <summary>The image repeated. Padding must not exceed the image.</summary>
    Circular,
}
