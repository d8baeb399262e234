namespace CnnNative.Engines;

/// <summary>
/// Dropout without a stored mask (Srivastava et al., 2014; "inverted": survivors are scaled by 1 / (1 - p)).
/// Unit u = element / unitSize survives when the top 24 bits of its random word, over 2^24, are at least p; the same call on a
/// gradient is the backward pass. Element is the index in NCHW order, whatever the layout.
/// </summary>
public interface IDropout
{
    /// <summary>y = x / (1 - p) where the unit survives, else 0; y may be x. p = 1 gives zeros.</summary>
    /// <param name="x">Input, or the gradient by the output.</param>
    /// <param name="probability">Probability p to drop a unit.</param>
    /// <param name="unitSize">Elements that share one decision: 1 for dropout, H * W for whole channels.</param>
    /// <param name="stream">The random numbers: unit u takes element u of the stream.</param>
    /// <param name="y">Output.</param>
    void Apply(Tensor x, float probability, long unitSize, RandomStream stream, Tensor y);
}
