namespace CnnNative.Layers;

/// <summary>The mean of each channel of each image, (N, C, H, W) -> (N, C, 1, 1): see <see cref="Functional.GlobalAvgPool2d"/>.</summary>
public sealed class GlobalAvgPool2d : Module
{
    /// <summary>The whole image.</summary>
    /// <inheritdoc/>
    public override Window? WindowOver(Shape input) => new((input[2], input[3]), (input[2], input[3]), 1);

    /// <summary>GlobalAvgPool2d().</summary>
    public override string ToString() => "GlobalAvgPool2d()";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.GlobalAvgPool2d(x);
}
