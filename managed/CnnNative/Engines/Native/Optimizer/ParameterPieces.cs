namespace CnnNative.Engines.Native;

/// <summary>How one launch is divided over many parameters or gradients: a block takes a piece of one; see native/kernels/optim/parameters.h.</summary>
internal static class ParameterPieces
{
    /// <summary>Elements of a piece.</summary>
    public const int Elements = 4096;

    /// <summary>Blocks that so many elements of one tensor take.</summary>
    public static long Blocks(long count) => (count + Elements - 1) / Elements;
}
