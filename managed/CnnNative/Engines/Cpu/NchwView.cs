namespace CnnNative.Engines.Cpu;

/// <summary>
/// A tensor's elements as a pointer in NCHW order, for the length of one operation. A tensor in NHWC is converted to a
/// copy on the way in and, where it is written, back on the way out: the CPU's kernels know one layout only.
/// Use with <c>using</c>; a default view stands for an absent tensor and has a null pointer.
/// </summary>
internal readonly unsafe ref struct NchwView
{
    private readonly Tensor? original;
    private readonly Tensor? copy;
    private readonly Pinned<float> pinned;
    private readonly bool writesBack;

    private NchwView(Tensor tensor, bool reads, bool writes)
    {
        if (tensor.Layout == Layout.Nhwc)
        {
            using var unowned = Scope.Unowned();
            original = tensor;
            copy = Tensor.Empty(tensor.Shape, tensor.DType, tensor.Device);
            if (reads) tensor.Device.Engine.Layout.Copy(tensor, copy);
        }

        writesBack = writes;
        pinned = (copy ?? tensor).Pin<float>();
    }

    public float* Pointer => pinned.Pointer;

    public static implicit operator float*(NchwView view) => view.Pointer;

    /// <summary>A tensor that the operation reads; null gives a null pointer.</summary>
    public static NchwView Read(Tensor? tensor) => tensor is null ? default : new(tensor, reads: true, writes: false);

    /// <summary>A tensor that the operation overwrites as a whole.</summary>
    public static NchwView Write(Tensor? tensor) => tensor is null ? default : new(tensor, reads: false, writes: true);

    /// <summary>A tensor that the operation reads and changes.</summary>
    public static NchwView Update(Tensor? tensor) => tensor is null ? default : new(tensor, reads: true, writes: true);

    public void Dispose()
    {
        pinned.Dispose();
        if (copy is null) return;
        if (writesBack) original!.Device.Engine.Layout.Copy(copy, original);
        copy.Dispose();
    }
}
