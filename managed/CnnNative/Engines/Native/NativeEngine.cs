namespace CnnNative.Engines.Native;

/// <summary>The project's own CUDA kernels.</summary>
internal sealed class NativeEngine(NativeContext context) : Engine
{
    public override string Name => "Native";

    /// <summary>The kernels and what they share; for tests and benches.</summary>
    public NativeContext Context => context;

    public override IConvolution Convolution { get; } = new NativeConvolution(context);

    public override IPooling Pooling => throw Missing(nameof(Pooling));

    public override INormalization Normalization => throw Missing(nameof(Normalization));

    public override IMatrix Matrix { get; } = new NativeMatrix(context);

    public override IElementwise Elementwise => throw Missing(nameof(Elementwise));

    public override IActivation Activation => throw Missing(nameof(Activation));

    public override ILoss Loss => throw Missing(nameof(Loss));

    public override IDropout Dropout => throw Missing(nameof(Dropout));

    public override IRandom Random => throw Missing(nameof(Random));

    public override ILayout Layout => throw Missing(nameof(Layout));

    public override IOptimizer Optimizer => throw Missing(nameof(Optimizer));

    protected override void Dispose(bool disposing)
    {
        context.Kernels.Dispose();
        base.Dispose(disposing);
    }

    private EngineNotSupportedException Missing(string family) => new(Name, family, "this family yet");
}
