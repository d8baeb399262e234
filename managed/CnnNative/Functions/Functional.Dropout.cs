using CnnNative.Autograd;

namespace CnnNative;

public static partial class Functional
{
    /// <summary>In training, sets elements to zero with a probability and scales the others by 1 / (1 - probability); otherwise the identity.</summary>
    /// <param name="x">Input of any shape.</param>
    /// <param name="probability">Probability of zero, 0 to 1.</param>
    /// <param name="training">Whether to drop at all.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not between 0 and 1.</exception>
    public static Tensor Dropout(Tensor x, float probability = 0.5f, bool training = true) => Drop("Dropout", x, probability, unitSize: 1, training);

    /// <summary>Like <see cref="Dropout"/>, for whole channels of (N, C, ...).</summary>
    /// <param name="x">Input (N, C, ...).</param>
    /// <param name="probability">Probability of zero, 0 to 1.</param>
    /// <param name="training">Whether to drop at all.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not between 0 and 1.</exception>
    /// <exception cref="ShapeException">x has fewer than two dimensions.</exception>
    public static Tensor Dropout2d(Tensor x, float probability = 0.5f, bool training = true)
    {
        if (x.Rank < 2) throw new ShapeException("Dropout2d", $"x has shape {x.Shape}, expected (N, C, ...)");
        return Drop("Dropout2d", x, probability, Math.Max(1, x.Shape.CountFrom(2)), training);
    }

    private static Tensor Drop(string operation, Tensor x, float probability, long unitSize, bool training)
    {
        if (!(probability >= 0 && probability <= 1))
            throw new ArgumentOutOfRangeException(nameof(probability), probability, $"{operation}: the probability must be between 0 and 1");
        Require.Computable(operation, x);
        if (!training || probability == 0) return x.ToLayout(x.Layout);
        var engine = x.Device.Engine.Dropout;
        var stream = x.Device.Random.Next();
        var y = EmptyLike(x);
        engine.Apply(x, probability, unitSize, stream, y);
        return Tape.Record(operation, y, [x], (dy, _) =>
        {
            var dx = EmptyLike(x);
            engine.Apply(dy, probability, unitSize, stream, dx);
            return [dx];
        });
    }
}
