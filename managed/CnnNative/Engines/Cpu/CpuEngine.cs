namespace CnnNative.Engines.Cpu;

/// <summary>Vectorised, multi-threaded C#: runs everywhere.</summary>
internal sealed class CpuEngine : Engine
{
    private readonly CpuThreads threads;
    private readonly CpuScratch scratch = new();

    /// <summary>Creates an engine with a thread pool of its own.</summary>
    /// <param name="threads">Threads that compute, the calling one included.</param>
    public CpuEngine(int threads)
    {
        this.threads = new CpuThreads(threads);
        Convolution = new CpuConvolution(this.threads, scratch);
        Pooling = new CpuPooling(this.threads, scratch);
        Normalization = new CpuNormalization(this.threads);
        Matrix = new CpuMatrix(this.threads, scratch);
        Elementwise = new CpuElementwise(this.threads);
        Activation = new CpuActivation(this.threads);
        Loss = new CpuLoss(this.threads);
        Dropout = new CpuDropout(this.threads);
        Random = new CpuRandom(this.threads);
        Layout = new CpuLayout(this.threads);
        Optimizer = new CpuOptimizer(this.threads);
    }

    public override string Name => "Cpu";

    /// <summary>Threads that compute, the calling one included. May be changed while nothing runs.</summary>
    public int Threads
    {
        get => threads.Count;
        set => threads.Count = value;
    }

    public override IConvolution Convolution { get; }

    public override IPooling Pooling { get; }

    public override INormalization Normalization { get; }

    public override IMatrix Matrix { get; }

    public override IElementwise Elementwise { get; }

    public override IActivation Activation { get; }

    public override ILoss Loss { get; }

    public override IDropout Dropout { get; }

    public override IRandom Random { get; }

    public override ILayout Layout { get; }

    public override IOptimizer Optimizer { get; }

    protected override void Dispose(bool disposing)
    {
        threads.Dispose();
        scratch.Dispose();
        base.Dispose(disposing);
    }
}
