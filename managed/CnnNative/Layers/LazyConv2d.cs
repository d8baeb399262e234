using CnnNative.Engines;

namespace CnnNative.Layers;

/// <summary>A <see cref="Conv2d"/> that learns its input channels from its first input, or from the state loaded into it.</summary>
public sealed class LazyConv2d : Conv2d
{
    /// <summary>Creates the layer without parameters.</summary>
    /// <param name="outChannels">Output channels K.</param>
    /// <param name="kernel">Filter size (R, S).</param>
    /// <param name="stride">Step; 1 if null.</param>
    /// <param name="padding">Rows and columns around the image.</param>
    /// <param name="dilation">Distance of filter taps; 1 if null.</param>
    /// <param name="groups">Groups of channels.</param>
    /// <param name="bias">Whether each filter adds a number.</param>
    /// <param name="paddingMode">What the padding holds.</param>
    /// <param name="device">Where the parameters will be; the default device if null.</param>
    public LazyConv2d(
        int outChannels, Pair kernel, Pair? stride = null, Padding padding = default, Pair? dilation = null,
        int groups = 1, bool bias = true, PaddingMode paddingMode = PaddingMode.Zeros, Device? device = null)
        : base(outChannels, kernel, stride, padding, dilation, groups, bias, paddingMode, device)
    {
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        if (!IsMaterialized)
        {
            Require.Rank("LazyConv2d", nameof(x), x, 4, "(N, C, H, W)");
            Materialize(x.Shape[1]);
            To(x.Device);
        }

        return base.Compute(x);
    }

    private protected override void AdoptSizes(IReadOnlyDictionary<string, Tensor> state, string prefix)
    {
        if (!IsMaterialized && state.TryGetValue(prefix + "weight", out var weight) && weight.Rank == 4) Materialize(weight.Shape[1] * Groups);
    }
}
