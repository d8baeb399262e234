using CnnNative.Vision.Transforms;

namespace CnnNative.Training;

/// <summary>What has to be known of a model besides its weights, to build it again and to use it.</summary>
/// <param name="Name">Name, such as "lenet5".</param>
/// <param name="Input">Shape of one image: (C, H, W).</param>
/// <param name="ClassNames">One name per class, in the order of the scores.</param>
/// <param name="Normalization">How pixels become the numbers that it was trained with.</param>
public sealed record ModelDescription(string Name, Shape Input, IReadOnlyList<string> ClassNames, Normalization Normalization)
{
    /// <summary>Such as "lenet5 for 1x28x28 images of 10 classes".</summary>
    public override string ToString() => $"{Name} for {ShapeText.Format(Input)} images of {ClassNames.Count} classes";
}
