namespace CnnNative.Engines;

/// <summary>Moves elements without changing them.</summary>
public interface ILayout
{
    /// <summary>y = x, where the layouts may differ; same shape and data type.</summary>
    /// <param name="x">Input.</param>
    /// <param name="y">Output.</param>
    void Copy(Tensor x, Tensor y);

    /// <summary>
    /// Copies blocks of contiguous elements, in the order of memory: block b goes from source[sourceStart + b * sourceStep] to
    /// target[targetStart + b * targetStep]. Serves concatenation, slices, and the gradients of both.
    /// </summary>
    /// <param name="source">Where from.</param>
    /// <param name="target">Where to, of the same data type.</param>
    /// <param name="blocks">The regular set of blocks, in elements.</param>
    void CopyBlocks(Tensor source, Tensor target, in BlockCopy blocks);
}

/// <summary>A regular set of blocks; all figures in elements.</summary>
/// <param name="Count">Number of blocks.</param>
/// <param name="Length">Length of a block.</param>
/// <param name="SourceStart">First element of the first block in the source.</param>
/// <param name="SourceStep">Distance of blocks in the source.</param>
/// <param name="TargetStart">First element of the first block in the target.</param>
/// <param name="TargetStep">Distance of blocks in the target.</param>
public readonly record struct BlockCopy(long Count, long Length, long SourceStart, long SourceStep, long TargetStart, long TargetStep);
