namespace CnnNative.Engines;

/// <summary>
/// What computes on a device: one small interface per family of operations, so that a missing one is visible.
/// Engines work on whole tensors that the caller has made and checked; they know nothing of gradients' flow.
/// </summary>
public abstract class Engine : IDisposable
{
    /// <summary>Name, such as "Cpu".</summary>
    public abstract string Name { get; }

    /// <summary>Whether the engine computes with elements of a type; all engines convert, copy and store every type.</summary>
    /// <param name="type">The type.</param>
    public virtual bool Computes(DType type) => type == DType.Float32;

    /// <summary>Convolution and its gradients.</summary>
    public abstract IConvolution Convolution { get; }

    /// <summary>Pooling and its gradients.</summary>
    public abstract IPooling Pooling { get; }

    /// <summary>Batch normalisation and its gradients.</summary>
    public abstract INormalization Normalization { get; }

    /// <summary>Matrix products.</summary>
    public abstract IMatrix Matrix { get; }

    /// <summary>Elementwise arithmetic and sums.</summary>
    public abstract IElementwise Elementwise { get; }

    /// <summary>Activations and softmax.</summary>
    public abstract IActivation Activation { get; }

    /// <summary>Losses.</summary>
    public abstract ILoss Loss { get; }

    /// <summary>Dropout.</summary>
    public abstract IDropout Dropout { get; }

    /// <summary>Random tensors.</summary>
    public abstract IRandom Random { get; }

    /// <summary>Copies between layouts, and blocks of tensors.</summary>
    public abstract ILayout Layout { get; }

    /// <summary>Steps of optimisers.</summary>
    public abstract IOptimizer Optimizer { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the engine holds.</summary>
    /// <param name="disposing">Always true: engines have no finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}
