namespace CnnNative.Vision;

/// <summary>Images and labels of one step. The loader disposes both tensors when the next batch is asked for, or the loop is left.</summary>
/// <param name="Images">Normalised pixels, float32 (N, C, H, W).</param>
/// <param name="Labels">Classes, int64 (N).</param>
public readonly record struct Batch(Tensor Images, Tensor Labels);
