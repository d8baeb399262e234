namespace CnnNative.Layers;

/// <summary>Fills parameters before training, from the device's generator.</summary>
public static class Initialize
{
    /// <summary>Uniform in [-bound, bound) with bound = gain * sqrt(3 / fan-in) (He et al., 2015); PyTorch's layers use slope sqrt(5), which makes the bound 1 / sqrt(fan-in).</summary>
    /// <param name="tensor">Weights (out, in, ...).</param>
    /// <param name="negativeSlope">Slope a of the leaky ReLU that follows; the gain is sqrt(2 / (1 + a^2)).</param>
    public static void KaimingUniform(Tensor tensor, float negativeSlope = 0f)
    {
        var bound = MathF.Sqrt(6f / ((1 + negativeSlope * negativeSlope) * Fans(tensor).In));
        Uniform(tensor, -bound, bound);
    }

    /// <summary>Normal with deviation gain / sqrt(fan-in) (He et al., 2015).</summary>
    /// <param name="tensor">Weights (out, in, ...).</param>
    /// <param name="negativeSlope">Slope a of the leaky ReLU that follows; the gain is sqrt(2 / (1 + a^2)).</param>
    public static void KaimingNormal(Tensor tensor, float negativeSlope = 0f) =>
        Normal(tensor, 0f, MathF.Sqrt(2f / ((1 + negativeSlope * negativeSlope) * Fans(tensor).In)));

    /// <summary>Uniform in [-bound, bound) with bound = gain * sqrt(6 / (fan-in + fan-out)) (Glorot and Bengio, 2010).</summary>
    /// <param name="tensor">Weights (out, in, ...).</param>
    /// <param name="gain">Scale.</param>
    public static void XavierUniform(Tensor tensor, float gain = 1f)
    {
        var (fanIn, fanOut) = Fans(tensor);
        var bound = gain * MathF.Sqrt(6f / (fanIn + fanOut));
        Uniform(tensor, -bound, bound);
    }

    /// <summary>Normal with deviation gain * sqrt(2 / (fan-in + fan-out)) (Glorot and Bengio, 2010).</summary>
    /// <param name="tensor">Weights (out, in, ...).</param>
    /// <param name="gain">Scale.</param>
    public static void XavierNormal(Tensor tensor, float gain = 1f)
    {
        var (fanIn, fanOut) = Fans(tensor);
        Normal(tensor, 0f, gain * MathF.Sqrt(2f / (fanIn + fanOut)));
    }

    /// <summary>Uniform in [low, high).</summary>
    /// <param name="tensor">Any tensor of numbers.</param>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">Bound that is not reached.</param>
    public static void Uniform(Tensor tensor, float low, float high) =>
        tensor.Device.Engine.Random.Uniform(tensor, low, high, tensor.Device.Random.Next());

    /// <summary>Normal.</summary>
    /// <param name="tensor">Any tensor of numbers.</param>
    /// <param name="mean">Mean.</param>
    /// <param name="deviation">Standard deviation.</param>
    public static void Normal(Tensor tensor, float mean, float deviation) =>
        tensor.Device.Engine.Random.Normal(tensor, mean, deviation, tensor.Device.Random.Next());

    /// <summary>One value everywhere.</summary>
    /// <param name="tensor">Any tensor of numbers.</param>
    /// <param name="value">The value.</param>
    public static void Constant(Tensor tensor, float value) => tensor.Device.Engine.Elementwise.Fill(tensor, value);

    /// <summary>Inputs and outputs that one weight takes part in: (in, out) times the filter's area.</summary>
    /// <exception cref="ShapeException">The tensor has fewer than two dimensions.</exception>
    internal static (float In, float Out) Fans(Tensor tensor)
    {
        if (tensor.Rank < 2) throw new ShapeException("Initialize", $"fan-in and fan-out need (out, in, ...), the tensor has shape {tensor.Shape}");
        var area = tensor.Shape.CountFrom(2);
        return (tensor.Shape[1] * area, tensor.Shape[0] * area);
    }

    /// <summary>Weight (out, in, ...) and bias (out) as PyTorch's Linear and Conv2d start: uniform in +-1 / sqrt(fan-in).</summary>
    internal static (Tensor Weight, Tensor? Bias) WeightAndBias(Shape shape, bool hasBias, Device? device)
    {
        using var scope = Scope.Unowned();
        var weight = Tensor.Empty(shape, DType.Float32, device);
        var bound = 1f / MathF.Sqrt(Math.Max(1f, Fans(weight).In));
        Uniform(weight, -bound, bound);
        return (weight, hasBias ? Tensor.Uniform([shape[0]], -bound, bound, device) : null);
    }
}
