using System.Buffers;
using CnnNative.Engines;

namespace CnnNative.Optimizers;

/// <summary>
/// Keeps gradients within bounds, between the backward pass and the optimizer's step, with the meaning of PyTorch's clip_grad_norm_ and
/// clip_grad_value_. It asks nothing of the host, so a captured step may clip.
/// </summary>
public static class GradientClipping
{
    /// <summary>
    /// Scales all gradients by min(1, maxNorm / (norm + 1e-6)), where norm is that of all of them as one vector (Pascanu, Mikolov and
    /// Bengio, 2013).
    /// </summary>
    /// <param name="parameters">The parameters, of one device; those without a gradient do not count.</param>
    /// <param name="maxNorm">The largest norm allowed.</param>
    /// <param name="order">Which norm.</param>
    /// <param name="errorIfNonFinite">
    /// Whether a norm of NaN or infinity is an error; else the gradients become NaN or 0. It reads the norm back, which a captured step refuses.
    /// </param>
    /// <returns>The norm before, a scalar on the device.</returns>
    /// <exception cref="NonFiniteGradientException">The norm is not finite, and <paramref name="errorIfNonFinite"/>; the gradients are unchanged.</exception>
    /// <exception cref="ArgumentException">There are no parameters, or the bound is negative or NaN.</exception>
    /// <exception cref="DeviceMismatchException">The parameters are on several devices.</exception>
    public static Tensor ByNorm(IReadOnlyList<Tensor> parameters, float maxNorm, NormOrder order = NormOrder.Two, bool errorIfNonFinite = false)
    {
        RequireBound(maxNorm, nameof(maxNorm));
        using var gradients = new GradientsOf(parameters);
        var norm = Tensor.Empty(Shape.Scalar, DType.Float32, gradients.Device);
        var engine = gradients.Device.Engine.Optimizer;
        engine.GradientNorm(gradients.Span, order, norm);
        if (errorIfNonFinite && norm.Item() is var found && !float.IsFinite(found)) throw new NonFiniteGradientException(found);
        engine.ScaleGradients(gradients.Span, norm, maxNorm);
        return norm;
    }

    /// <summary>Sets every element of every gradient to the nearest number from -limit to limit.</summary>
    /// <param name="parameters">The parameters, of one device; those without a gradient are left alone.</param>
    /// <param name="limit">Largest absolute value allowed.</param>
    /// <exception cref="ArgumentException">There are no parameters, or the limit is negative or NaN.</exception>
    /// <exception cref="DeviceMismatchException">The parameters are on several devices.</exception>
    public static void ByValue(IReadOnlyList<Tensor> parameters, float limit)
    {
        RequireBound(limit, nameof(limit));
        using var gradients = new GradientsOf(parameters);
        gradients.Device.Engine.Optimizer.ClampGradients(gradients.Span, limit);
    }

    private static void RequireBound(float value, string name)
    {
        if (!(value >= 0)) throw new ArgumentOutOfRangeException(name, value, $"GradientClipping: {name} must not be negative");
    }

    /// <summary>The gradients there are, in memory that is lent.</summary>
    private readonly ref struct GradientsOf
    {
        private readonly Tensor[] rented;
        private readonly int count;

        public GradientsOf(IReadOnlyList<Tensor> parameters)
        {
            if (parameters.Count == 0) throw new ArgumentException("GradientClipping: there are no parameters", nameof(parameters));
            Device = parameters[0].Device;
            rented = ArrayPool<Tensor>.Shared.Rent(parameters.Count);
            for (var i = 0; i < parameters.Count; i++)
            {
                Require.SameDevice("GradientClipping", parameters[0], parameters[i]);
                if (parameters[i].Grad is { } gradient) rented[count++] = gradient;
            }
        }

        public Device Device { get; }

        public ReadOnlySpan<Tensor> Span => rented.AsSpan(0, count);

        public void Dispose() => ArrayPool<Tensor>.Shared.Return(rented, clearArray: true);
    }
}
