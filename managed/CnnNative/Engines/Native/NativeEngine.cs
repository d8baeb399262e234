namespace CnnNative.Engines.Native;

/// <summary>The project's own CUDA kernels.</summary>
internal sealed class NativeEngine(NativeContext context) : Engine
{
    public override string Name => "Native";

    /// <summary>The kernels and what they share; for tests and benches.</summary>
    public NativeContext Context => context;

    public override bool Computes(DType type) => type.IsFloating();

    public override IConvolution Convolution { get; } = new NativeConvolution(context);

    public override IPooling Pooling { get; } = new NativePooling(context);

    public override INormalization Normalization { get; } = new NativeNormalization(context);

    public override IMatrix Matrix { get; } = new NativeMatrix(context);

    public override IElementwise Elementwise { get; } = new NativeElementwise(context);

    public override IActivation Activation { get; } = new NativeActivation(context);

    public override ILoss Loss { get; } = new NativeLoss(context);

    public override IDropout Dropout { get; } = new NativeDropout(context);

    public override IRandom Random { get; } = new NativeRandom(context);

    public override ILayout Layout { get; } = new NativeLayout(context);

    public override IOptimizer Optimizer { get; } = new NativeOptimizer(context);

    protected override void Dispose(bool disposing)
    {
        context.Kernels.Dispose();
        base.Dispose(disposing);
    }
}
