namespace CnnNative.Engines.Native;

/// <summary>Activations that a product's last step can do: those that are a clamp.</summary>
internal static class Epilogues
{
    public static readonly Epilogue None = new() { Low = float.NegativeInfinity, High = float.PositiveInfinity };

    /// <summary>Whether the activation is a clamp.</summary>
    public static bool CanFuse(ActivationKind activation) => activation is ActivationKind.Identity or ActivationKind.Relu or ActivationKind.Relu6;

    /// <summary>The clamp; none for an activation that is to be applied afterwards.</summary>
    public static Epilogue For(ActivationKind activation) => activation switch
    {
        ActivationKind.Relu => None with { Low = 0 },
        ActivationKind.Relu6 => new() { Low = 0, High = 6 },
        _ => None,
    };
}
