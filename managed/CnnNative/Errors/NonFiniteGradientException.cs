namespace CnnNative;

/// <summary>Gradients whose norm is NaN or infinite, where that was to be an error.</summary>
public sealed class NonFiniteGradientException : ArithmeticException
{
    internal NonFiniteGradientException(float norm)
        : base($"GradientClipping: the norm of all gradients is {norm}, expected a finite number; a smaller learning rate or errorIfNonFinite: false may help") => Norm = norm;

    /// <summary>The norm.</summary>
    public float Norm { get; }
}
