namespace CnnNative.Engines;

/// <summary>
/// Activations that are min(max(z, low), high), so that their derivative is 1 within and 0 elsewhere: what can stand behind a batch
/// normalisation within the same operation.
/// </summary>
/// <param name="Low">Least result.</param>
/// <param name="High">Largest result.</param>
internal readonly record struct ClampRange(float Low, float High)
{
    /// <summary>Whether a function is one of them.</summary>
    public static bool Has(ActivationKind kind) => kind is ActivationKind.Identity or ActivationKind.Relu or ActivationKind.Relu6;

    /// <summary>The range of a function.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The function is not one of them.</exception>
    public static ClampRange Of(ActivationKind kind) => kind switch
    {
        ActivationKind.Identity => new(float.NegativeInfinity, float.PositiveInfinity),
        ActivationKind.Relu => new(0f, float.PositiveInfinity),
        ActivationKind.Relu6 => new(0f, 6f),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "BatchNorm: the activation must be Identity, Relu or Relu6"),
    };
}
