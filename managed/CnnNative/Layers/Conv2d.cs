using CnnNative.Engines;

namespace CnnNative.Layers;

/// <summary>Two-dimensional convolution with learned filters: see <see cref="Functional.Conv2d"/>. State: weight (K, C / groups, R, S), bias (K).</summary>
public class Conv2d : Module
{
    private readonly bool hasBias;
    private readonly Device? device;

    /// <summary>Creates the layer, with PyTorch's initial weights: uniform in +-1 / sqrt(C / groups * R * S).</summary>
    /// <param name="inChannels">Input channels C.</param>
    /// <param name="outChannels">Output channels K: the number of filters.</param>
    /// <param name="kernel">Filter size (R, S).</param>
    /// <param name="stride">Step; 1 if null.</param>
    /// <param name="padding">Rows and columns around the image.</param>
    /// <param name="dilation">Distance of filter taps; 1 if null.</param>
    /// <param name="groups">Groups of channels that do not see each other; divides C and K.</param>
    /// <param name="bias">Whether each filter adds a number.</param>
    /// <param name="paddingMode">What the padding holds.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    /// <exception cref="ShapeException">A size is not positive, or the groups do not divide the channels.</exception>
    public Conv2d(
        int inChannels, int outChannels, Pair kernel, Pair? stride = null, Padding padding = default, Pair? dilation = null,
        int groups = 1, bool bias = true, PaddingMode paddingMode = PaddingMode.Zeros, Device? device = null)
        : this(outChannels, kernel, stride, padding, dilation, groups, bias, paddingMode, device)
    {
        Materialize(inChannels);
    }

    private protected Conv2d(
        int outChannels, Pair kernel, Pair? stride, Padding padding, Pair? dilation, int groups, bool bias, PaddingMode paddingMode, Device? device)
    {
        OutChannels = outChannels;
        Kernel = kernel;
        Stride = stride ?? 1;
        Padding = padding;
        Dilation = dilation ?? 1;
        Groups = groups;
        PaddingMode = paddingMode;
        hasBias = bias;
        this.device = device;
        SetParameter("weight", null);
        if (bias) SetParameter("bias", null);
    }

    /// <summary>Filters (K, C / groups, R, S).</summary>
    /// <exception cref="InvalidOperationException">The layer is lazy and has not seen an input.</exception>
    public Tensor Weight => GetParameter("weight") ?? throw new InvalidOperationException("Conv2d: the layer has not seen an input yet");

    /// <summary>One number per filter (K), or null.</summary>
    public Tensor? Bias => GetParameter("bias");

    /// <summary>Output channels K.</summary>
    public int OutChannels { get; }

    /// <summary>Filter size (R, S).</summary>
    public Pair Kernel { get; }

    /// <summary>Step of the window.</summary>
    public Pair Stride { get; }

    /// <summary>Rows and columns around the image.</summary>
    public Padding Padding { get; }

    /// <summary>Distance of filter taps.</summary>
    public Pair Dilation { get; }

    /// <summary>Groups of channels.</summary>
    public int Groups { get; }

    /// <summary>What the padding holds.</summary>
    public PaddingMode PaddingMode { get; }

    /// <inheritdoc/>
    public override Window? WindowOver(Shape input) => new(Kernel, Stride, Dilation);

    /// <summary>Whether the parameters exist.</summary>
    private protected bool IsMaterialized => GetParameter("weight") is not null;

    /// <inheritdoc/>
    public override long MultiplyAdds(Shape input, Shape output) => output.Count * (input[1] / Groups) * Kernel.H * Kernel.W;

    /// <summary>Such as Conv2d(1, 6, (5, 5)).</summary>
    public override string ToString() => $"Conv2d({(IsMaterialized ? Weight.Shape[1] * Groups : "?")}, {OutChannels}, {Kernel})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Convolve(x, ActivationKind.Identity);

    internal override bool CanFuse(bool residual) => IsMaterialized && !residual;

    internal override Tensor ComputeFused(Tensor x, ActivationKind activation, Tensor? residual = null) => Convolve(x, activation);

    private Tensor Convolve(Tensor x, ActivationKind activation) =>
        Functional.Conv2d(x, Weight, Bias, Stride, Padding, Dilation, Groups, PaddingMode, activation);

    private protected void Materialize(int inChannels)
    {
        if (inChannels < 1 || OutChannels < 1 || Kernel.H < 1 || Kernel.W < 1)
            throw new ShapeException("Conv2d", $"channels {inChannels} -> {OutChannels} and kernel {Kernel} must be at least 1");
        if (Groups < 1 || inChannels % Groups != 0 || OutChannels % Groups != 0)
            throw new ShapeException("Conv2d", $"groups {Groups} must be positive and divide the channels: input {inChannels}, output {OutChannels}");
        var (weight, bias) = Initialize.WeightAndBias([OutChannels, inChannels / Groups, Kernel.H, Kernel.W], hasBias, device);
        SetParameter("weight", weight);
        if (hasBias) SetParameter("bias", bias);
    }
}
