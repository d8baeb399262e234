using CnnNative.Autograd;

namespace CnnNative;

/// <summary>
/// A dense array on a device: shape, data type, layout, and how it was computed, if gradients are to flow through it.
/// Elements are always contiguous in the order of the layout. A tensor belongs to the <see cref="Scope"/> that is open
/// when it is made; outside any scope it lives until it is disposed or forgotten.
/// </summary>
public sealed partial class Tensor : IDisposable
{
    private readonly Storage storage;
    private readonly long offset;
    private Tensor? grad;
    private int disposed;

    private Tensor(Storage storage, long offset, Shape shape, DType dtype, Device device, Layout layout)
    {
        this.storage = storage;
        this.offset = offset;
        Shape = shape;
        DType = dtype;
        Device = device;
        Layout = layout;
        Scope.Enlist(this);
    }

    /// <summary>The sizes, outermost first; for four dimensions always (N, C, H, W), whatever the layout.</summary>
    public Shape Shape { get; }

    /// <summary>The element type.</summary>
    public DType DType { get; }

    /// <summary>Where the elements are.</summary>
    public Device Device { get; }

    /// <summary>The order of the elements in memory.</summary>
    public Layout Layout { get; }

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Count;

    /// <summary>Number of dimensions.</summary>
    public int Rank => Shape.Rank;

    /// <summary>Whether the tensor was disposed, by the user or by its scope.</summary>
    public bool IsDisposed => Volatile.Read(ref disposed) != 0;

    /// <summary>
    /// Whether gradients flow to this tensor. Set it on leaves (parameters, inputs); results of operations have it when
    /// an input has it.
    /// </summary>
    /// <exception cref="InvalidOperationException">Set on a result of an operation, or on a tensor that does not hold floating-point numbers.</exception>
    public bool RequiresGrad
    {
        get;
        set
        {
            if (Producer is not null) throw new InvalidOperationException("RequiresGrad: only a leaf can be changed; Detach() makes one");
            if (value && !DType.IsFloating())
                throw new InvalidOperationException($"RequiresGrad: a tensor of {DType} has no gradient");
            field = value;
        }
    }

    /// <summary>
    /// The gradient that <see cref="Backward(Tensor, bool)"/> left here, or null. It belongs to the scope that was open during that call
    /// and is null again when that scope has ended; without a scope it accumulates until <see cref="ZeroGrad"/>.
    /// </summary>
    public Tensor? Grad => grad is { IsDisposed: false } ? grad : null;

    /// <summary>The recorded operation that made this tensor; null for a leaf.</summary>
    internal Node? Producer { get; private set; }

    /// <summary>The scope that will dispose this tensor, if any.</summary>
    internal Scope? Owner { get; set; }

    /// <summary>Whether another tensor, or a running operation, uses the same memory.</summary>
    internal bool SharesMemory => storage.IsShared;

    /// <summary>Bytes of the elements.</summary>
    internal long Bytes => Count * DType.Size();

    private long ByteOffset => offset * DType.Size();

    /// <summary>Returns the memory to the device's pool, unless other tensors share it. A second call does nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0) storage.Release();
    }

    /// <summary>Takes the tensor out of the innermost scope that owns it and gives it to the scope around that one, if there is one.</summary>
    /// <returns>This tensor.</returns>
    public Tensor Keep()
    {
        Owner?.HandOver(this);
        return this;
    }

    /// <summary>Drops the accumulated gradient.</summary>
    public void ZeroGrad()
    {
        grad?.Dispose();
        grad = null;
    }

    /// <summary>Computes the gradients of this scalar by every leaf that it depends on, and adds them to their <see cref="Grad"/>.</summary>
    /// <exception cref="ShapeException">This is not a scalar or a single element.</exception>
    /// <exception cref="InvalidOperationException">No input of the computation requires a gradient, or the record was already used.</exception>
    public void Backward()
    {
        if (Count != 1) throw new ShapeException("Backward", $"the gradient of a tensor of shape {Shape} must be given; only a single element has the default 1");
        using var one = Full(Shape, 1f, Device);
        using var typed = one.To(DType);
        Backward(typed);
    }

    /// <summary>Computes gradients from the given gradient of this tensor.</summary>
    /// <param name="gradient">Same shape, data type and device as this tensor.</param>
    /// <param name="keepRecord">Keep what the operations saved, so that Backward can be called again.</param>
    /// <exception cref="ShapeException">The gradient has another shape.</exception>
    /// <exception cref="InvalidOperationException">No input of the computation requires a gradient, or the record was already used.</exception>
    public void Backward(Tensor gradient, bool keepRecord = false)
    {
        if (gradient.Shape != Shape) throw new ShapeException("Backward", $"gradient of shape {gradient.Shape} for a tensor of shape {Shape}");
        Require.SameDevice("Backward", this, gradient);
        Require.DType("Backward", nameof(gradient), gradient, DType);
        if (!RequiresGrad) throw new InvalidOperationException("Backward: this tensor was computed from nothing that requires a gradient");
        using var ordered = gradient.ToLayoutOrNull(Layout);
        new BackwardPass(keepRecord).Run(this, ordered ?? gradient);
    }

    /// <summary>Shape, data type and device, such as "(64, 10) Float32 on cpu".</summary>
    public override string ToString() => $"{Shape} {DType} on {Device}{(Layout == Layout.Nhwc ? " NHWC" : "")}{(IsDisposed ? " (disposed)" : "")}";

    internal void SetProducer(Node node)
    {
        RequiresGrad = true;
        Producer = node;
    }

    internal void SetGrad(Tensor? gradient) => grad = gradient;

    /// <summary>The elements as a pointer, held for the length of one operation on the host.</summary>
    /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
    internal Pinned<T> Pin<T>() where T : unmanaged
    {
        Require.DType("Pin", "tensor", this, DTypes.Of<T>());
        AddReference();
        return new Pinned<T>(storage, offset);
    }

    /// <summary>The elements as bytes, whatever their type; held like <see cref="Pin{T}"/>.</summary>
    /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
    internal Pinned<byte> PinBytes()
    {
        AddReference();
        return new Pinned<byte>(storage, ByteOffset);
    }

    /// <summary>The elements as a device address, held like <see cref="Pin{T}"/>.</summary>
    /// <exception cref="ObjectDisposedException">The tensor was disposed.</exception>
    internal DeviceView HoldOnDevice()
    {
        AddReference();
        return new DeviceView(storage, ByteOffset);
    }

    private void AddReference()
    {
        if (IsDisposed || !storage.TryAddReference())
            throw new ObjectDisposedException(nameof(Tensor), $"tensor {Shape} was disposed; a tensor made inside a scope goes with it unless Keep() is called");
    }
}
