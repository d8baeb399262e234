using CnnNative.Autograd;

namespace CnnNative;

public sealed partial class Tensor
{
    /// <summary>How much is carried over the host at a time between two devices.</summary>
    private const long TransferBytes = 16 << 20;

    /// <summary>The same elements under another shape; shares memory. Gradients flow through.</summary>
    /// <param name="shape">As many elements as this tensor; one size may be -1 and is then computed.</param>
    /// <exception cref="ShapeException">The number of elements differs.</exception>
    public Tensor Reshape(params ReadOnlySpan<int> shape)
    {
        var target = Infer(shape);
        if (Layout != Layout.Nchw) return ToLayout(Layout.Nchw).Reshape(shape);
        var source = Shape;
        return Tape.Record("Reshape", View(target, 0), [this], (gradient, _) => [gradient.View(source, 0)]);
    }

    /// <summary>A tensor with the same memory and no history: gradients do not flow through it.</summary>
    public Tensor Detach() => Alias();

    /// <summary>The same elements on a device: over the same memory if it is there already, else a copy. Without history.</summary>
    /// <param name="device">Where to.</param>
    public Tensor To(Device device)
    {
        if (device == Device) return Alias();
        var copy = Empty(Shape, DType, device, Layout);
        var buffer = new byte[Math.Min(Bytes, TransferBytes)];
        for (long start = 0; start < Bytes; start += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, Bytes - start));
            ReadBytes(start, part);
            copy.WriteBytes(start, part);
        }

        return copy;
    }

    /// <summary>
    /// The same numbers as another type of floating-point elements, rounded to nearest even; shares memory if it is that type already.
    /// Gradients flow through, in the type of this tensor.
    /// </summary>
    /// <param name="dtype">Float32, BFloat16 or Float16.</param>
    /// <exception cref="DTypeException">This tensor does not hold floating-point numbers, or they are not asked for.</exception>
    public Tensor To(DType dtype)
    {
        if (!DType.IsFloating()) throw new DTypeException("To", "this tensor", DType, dtype);
        if (!dtype.IsFloating()) throw new DTypeException("To", nameof(dtype), dtype, DType.Float32);
        var before = DType;
        return Tape.Record("To", dtype == before ? Alias() : Cast(dtype), [this], (gradient, _) => [gradient.To(before)]);
    }

    private Tensor Cast(DType dtype)
    {
        var copy = Empty(Shape, dtype, Device, Layout);
        Device.Engine.Elementwise.Cast(this, copy);
        return copy;
    }

    /// <summary>The same elements in another order in memory; shares memory if it is in that order already. Gradients flow through.</summary>
    /// <param name="layout">The order wanted.</param>
    /// <exception cref="ShapeException">NHWC with other than four dimensions.</exception>
    public Tensor ToLayout(Layout layout)
    {
        var before = Layout;
        return Tape.Record("ToLayout", ToLayoutOrNull(layout) ?? Alias(), [this], (gradient, _) => [gradient.ToLayout(before)]);
    }

    /// <summary>A copy with memory of its own and no history.</summary>
    public Tensor Clone()
    {
        var copy = Empty(Shape, DType, Device, Layout);
        Device.Engine.Layout.Copy(this, copy);
        return copy;
    }

    /// <summary>A copy in another order, without history; null if the order is right already.</summary>
    internal Tensor? ToLayoutOrNull(Layout layout)
    {
        if (layout == Layout) return null;
        var copy = Empty(Shape, DType, Device, layout);
        Device.Engine.Layout.Copy(this, copy);
        return copy;
    }

    /// <summary>Another tensor over the same memory, without history.</summary>
    internal Tensor Alias()
    {
        AddReference();
        return new Tensor(storage, offset, Shape, DType, Device, Layout);
    }

    /// <summary>A window of contiguous elements under another shape, over the same memory, without history.</summary>
    internal Tensor View(Shape shape, long first)
    {
        AddReference();
        return new Tensor(storage, offset + first, shape, DType, Device, Layout.Nchw);
    }

    private Shape Infer(ReadOnlySpan<int> shape)
    {
        var sizes = shape.ToArray();
        var open = Array.IndexOf(sizes, -1);
        if (open >= 0)
        {
            long known = 1;
            for (var i = 0; i < sizes.Length; i++) known *= i == open ? 1 : sizes[i];
            if (known <= 0 || Count % known != 0 || Array.LastIndexOf(sizes, -1) != open)
                throw new ShapeException("Reshape", $"shape {Shape} does not fit ({string.Join(", ", sizes)})");
            sizes[open] = (int)(Count / known);
        }

        var target = new Shape(sizes);
        if (target.Count != Count) throw new ShapeException("Reshape", $"shape {Shape} has {Count} elements, {target} has {target.Count}");
        return target;
    }
}
