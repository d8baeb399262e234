using CnnNative.Engines;

namespace CnnNative.Layers;

/// <summary>
/// Batch normalisation per channel, the body of <see cref="BatchNorm1d"/> and <see cref="BatchNorm2d"/>: see <see cref="Functional.BatchNorm"/>.
/// State: weight, bias, running_mean, running_var (C each, Float32) and num_batches_tracked (a scalar of Int64).
/// </summary>
public abstract class BatchNorm : Module
{
    private readonly float eps;
    private readonly float? momentum;
    private readonly bool affine;
    private readonly bool tracks;
    private readonly Device? device;

    private protected BatchNorm(int? channels, float eps, float? momentum, bool affine, bool trackRunningStats, Device? device)
    {
        this.eps = eps;
        this.momentum = momentum;
        this.affine = affine;
        tracks = trackRunningStats;
        this.device = device;
        if (affine)
        {
            SetParameter("weight", null);
            SetParameter("bias", null);
        }

        if (tracks)
        {
            SetBuffer("running_mean", null);
            SetBuffer("running_var", null);
            SetBuffer("num_batches_tracked", null);
        }

        if (channels is { } count) Materialize(count);
    }

    /// <summary>Scale (C), or null.</summary>
    public Tensor? Weight => GetParameter("weight");

    /// <summary>Shift (C), or null.</summary>
    public Tensor? Bias => GetParameter("bias");

    /// <summary>Running mean (C), or null.</summary>
    public Tensor? RunningMean => GetBuffer("running_mean");

    /// <summary>Running unbiased variance (C), or null.</summary>
    public Tensor? RunningVariance => GetBuffer("running_var");

    /// <summary>Channels; null until a lazy layer has seen an input.</summary>
    public int? Channels { get; private set; }

    /// <summary>Whether the layer may learn its channels from an input or a state.</summary>
    private protected virtual bool IsLazy => false;

    private protected override bool KeepsFloat32 => true;

    /// <summary>Such as BatchNorm2d(64).</summary>
    public override string ToString() => $"{GetType().Name}({Channels?.ToString() ?? "?"})";

    /// <inheritdoc/>
    public override long MultiplyAdds(Shape input, Shape output) => output.Count;

    internal override bool CanFuse(bool residual) => true;

    internal override Tensor ComputeFused(Tensor x, ActivationKind activation, Tensor? residual = null)
    {
        CheckRank(x);
        if (Channels is null && IsLazy)
        {
            Materialize(x.Shape[1]);
            To(x.Device);
        }

        var byBatch = Training || !tracks;
        var weightOfBatch = Training && tracks ? CountBatch() : 0f;
        return Functional.BatchNorm(x, RunningMean, RunningVariance, Weight, Bias, byBatch, weightOfBatch, eps, residual, activation);
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => ComputeFused(x, ActivationKind.Identity);

    /// <summary>Throws unless the input has the number of dimensions of this layer.</summary>
    /// <param name="x">Input.</param>
    private protected abstract void CheckRank(Tensor x);

    private protected void Materialize(int channels)
    {
        if (channels < 1) throw new ShapeException(GetType().Name, $"channels {channels} must be at least 1");
        using var scope = Scope.Unowned();
        if (affine)
        {
            SetParameter("weight", Tensor.Ones([channels], device));
            SetParameter("bias", Tensor.Zeros([channels], device));
        }

        if (tracks)
        {
            SetBuffer("running_mean", Tensor.Zeros([channels], device));
            SetBuffer("running_var", Tensor.Ones([channels], device));
            SetBuffer("num_batches_tracked", Tensor.From([0L], Shape.Scalar, device));
        }

        Channels = channels;
    }

    private protected override void AdoptSizes(IReadOnlyDictionary<string, Tensor> state, string prefix)
    {
        var key = prefix + (affine ? "weight" : "running_mean");
        if (Channels is null && IsLazy && state.TryGetValue(key, out var tensor) && tensor.Rank == 1) Materialize(tensor.Shape[0]);
    }

    /// <summary>Counts a batch; gives its weight in the running statistics: the momentum, or 1 / batches so far for a plain average.</summary>
    private float CountBatch()
    {
        var counter = GetBuffer("num_batches_tracked")!;
        counter.Device.Engine.Elementwise.Increment(counter);
        return momentum ?? 1f / counter.ToArray<long>()[0];
    }
}
