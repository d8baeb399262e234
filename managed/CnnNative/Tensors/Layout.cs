namespace CnnNative;

/// <summary>The order in memory of the elements of a four-dimensional tensor. The shape is always written (N, C, H, W).</summary>
public enum Layout
{
    /// <summary>Row-major over (N, C, H, W): W varies fastest. The only layout of tensors that are not four-dimensional.</summary>
    Nchw,

    /// <summary>Row-major over (N, H, W, C): C varies fastest ("channels last").</summary>
    Nhwc,
}
