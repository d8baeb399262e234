namespace CnnNative.Interop;

/// <summary>What else a <see cref="TensorMap"/> says.</summary>
/// <param name="Swizzle">The order of a box's rows in shared memory.</param>
/// <param name="Fill">What is read outside of the tensor.</param>
/// <param name="Promotion">How much the level-2 cache fetches at once.</param>
/// <param name="Interleave">Whether channels lie in slices.</param>
public readonly record struct TensorMapOptions(
    TensorMapSwizzle Swizzle = TensorMapSwizzle.None, TensorMapFill Fill = TensorMapFill.Zeros, TensorMapPromotion Promotion = TensorMapPromotion.None,
    TensorMapInterleave Interleave = TensorMapInterleave.None);

/// <summary>Elements of a tensor: CUtensorMapDataType.</summary>
public enum TensorMapType
{
    /// <summary>8 bits, unsigned.</summary>
    UInt8,

    /// <summary>16 bits, unsigned.</summary>
    UInt16,

    /// <summary>32 bits, unsigned.</summary>
    UInt32,

    /// <summary>32 bits, signed.</summary>
    Int32,

    /// <summary>64 bits, unsigned.</summary>
    UInt64,

    /// <summary>64 bits, signed.</summary>
    Int64,

    /// <summary>IEEE half.</summary>
    Float16,

    /// <summary>IEEE single.</summary>
    Float32,

    /// <summary>IEEE double.</summary>
    Float64,

    /// <summary>bfloat16.</summary>
    BFloat16,

    /// <summary>IEEE single; denormal numbers become zero.</summary>
    Float32FlushDenormals,

    /// <summary>IEEE single, rounded to tf32.</summary>
    TensorFloat32,

    /// <summary>IEEE single, rounded to tf32; denormal numbers become zero.</summary>
    TensorFloat32FlushDenormals,
}

/// <summary>CUtensorMapSwizzle: which pieces of 16 bytes change places, so that columns meet no bank conflict.</summary>
public enum TensorMapSwizzle
{
    /// <summary>Row after row.</summary>
    None,

    /// <summary>Within 32 bytes.</summary>
    Bytes32,

    /// <summary>Within 64 bytes.</summary>
    Bytes64,

    /// <summary>Within 128 bytes.</summary>
    Bytes128,
}

/// <summary>CUtensorMapFloatOOBfill.</summary>
public enum TensorMapFill
{
    /// <summary>Zeros.</summary>
    Zeros,

    /// <summary>A NaN that the matrix units take for zero; only for types of floating-point numbers.</summary>
    NaN,
}

/// <summary>CUtensorMapL2promotion.</summary>
public enum TensorMapPromotion
{
    /// <summary>As much as is asked for.</summary>
    None,

    /// <summary>64 bytes.</summary>
    Bytes64,

    /// <summary>128 bytes.</summary>
    Bytes128,

    /// <summary>256 bytes.</summary>
    Bytes256,
}

/// <summary>CUtensorMapInterleave: channels in slices, as in NC/8HWC8.</summary>
public enum TensorMapInterleave
{
    /// <summary>No slices.</summary>
    None,

    /// <summary>Slices of 16 bytes.</summary>
    Bytes16,

    /// <summary>Slices of 32 bytes.</summary>
    Bytes32,
}
