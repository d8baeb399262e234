using CnnNative.Engines;

namespace CnnNative.Layers;

/// <summary>A fully connected layer, y = x weight^T + bias along the last axis. State: weight (out, in), bias (out).</summary>
public class Linear : Module
{
    private readonly bool hasBias;
    private readonly Device? device;

    /// <summary>Creates the layer, with PyTorch's initial weights: uniform in +-1 / sqrt(in).</summary>
    /// <param name="inFeatures">Size of the last axis of the input.</param>
    /// <param name="outFeatures">Size of the last axis of the output.</param>
    /// <param name="bias">Whether a number is added per output.</param>
    /// <param name="device">Where the parameters are; the default device if null.</param>
    /// <exception cref="ShapeException">A size is not positive.</exception>
    public Linear(int inFeatures, int outFeatures, bool bias = true, Device? device = null) : this(outFeatures, bias, device) => Materialize(inFeatures);

    private protected Linear(int outFeatures, bool bias, Device? device)
    {
        OutFeatures = outFeatures;
        hasBias = bias;
        this.device = device;
        SetParameter("weight", null);
        if (bias) SetParameter("bias", null);
    }

    /// <summary>Weights (out, in).</summary>
    /// <exception cref="InvalidOperationException">The layer is lazy and has not seen an input.</exception>
    public Tensor Weight => GetParameter("weight") ?? throw new InvalidOperationException("Linear: the layer has not seen an input yet");

    /// <summary>Bias (out), or null.</summary>
    public Tensor? Bias => GetParameter("bias");

    /// <summary>Size of the last axis of the output.</summary>
    public int OutFeatures { get; }

    /// <summary>Whether the parameters exist.</summary>
    private protected bool IsMaterialized => GetParameter("weight") is not null;

    /// <inheritdoc/>
    public override long MultiplyAdds(Shape input, Shape output) => output.Count * input[-1];

    /// <summary>Such as Linear(84, 10).</summary>
    public override string ToString() => $"Linear({(IsMaterialized ? Weight.Shape[1] : "?")}, {OutFeatures})";

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.Linear(x, Weight, Bias);

    internal override bool CanFuse(bool residual) => IsMaterialized && !residual;

    internal override Tensor ComputeFused(Tensor x, ActivationKind activation, Tensor? residual = null) =>
        Functional.Linear(x, Weight, Bias, activation);

    private protected void Materialize(int inFeatures)
    {
        if (inFeatures < 1 || OutFeatures < 1) throw new ShapeException("Linear", $"features {inFeatures} -> {OutFeatures} must be at least 1");
        var (weight, bias) = Initialize.WeightAndBias([OutFeatures, inFeatures], hasBias, device);
        SetParameter("weight", weight);
        if (hasBias) SetParameter("bias", bias);
    }
}
