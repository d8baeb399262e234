using System.Runtime.InteropServices;

namespace CnnNative;

public sealed partial class Tensor
{
    /// <summary>No memory is larger; sizes near the end of a long would overflow when they are rounded up.</summary>
    private const long MostBytes = long.MaxValue / 2;

    /// <summary>A tensor whose elements are not set.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="device">Where; the default device if null.</param>
    /// <param name="layout">Order in memory; NHWC only for four dimensions.</param>
    /// <exception cref="ShapeException">NHWC with other than four dimensions, or more bytes than any memory has.</exception>
    /// <exception cref="DeviceOutOfMemoryException">The device has not enough memory.</exception>
    public static Tensor Empty(Shape shape, DType dtype = DType.Float32, Device? device = null, Layout layout = Layout.Nchw)
    {
        if (layout == Layout.Nhwc && shape.Rank != 4)
            throw new ShapeException("Tensor", $"layout NHWC needs four dimensions, shape {shape} has {shape.Rank}");
        if (shape.Count > MostBytes / dtype.Size()) throw new ShapeException("Tensor", $"shape {shape} of {dtype} has more than {MostBytes:N0} bytes");
        device ??= Device.Default;
        var storage = new Storage(device.Memory, shape.Count * dtype.Size());
        return new Tensor(storage, 0, shape, dtype, device, layout);
    }

    /// <summary>A float32 tensor of zeros.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="device">Where; the default device if null.</param>
    public static Tensor Zeros(Shape shape, Device? device = null) => Full(shape, 0f, device);

    /// <summary>A float32 tensor of ones.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="device">Where; the default device if null.</param>
    public static Tensor Ones(Shape shape, Device? device = null) => Full(shape, 1f, device);

    /// <summary>A float32 tensor of one value.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="value">The value of every element.</param>
    /// <param name="device">Where; the default device if null.</param>
    public static Tensor Full(Shape shape, float value, Device? device = null)
    {
        var tensor = Empty(shape, DType.Float32, device);
        tensor.Device.Engine.Elementwise.Fill(tensor, value);
        return tensor;
    }

    /// <summary>A tensor with elements copied from the host, in NCHW order.</summary>
    /// <typeparam name="T">float, Half, long, int or byte.</typeparam>
    /// <param name="elements">As many as the shape has.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="device">Where; the default device if null.</param>
    /// <exception cref="ShapeException">The number of elements is not that of the shape.</exception>
    public static Tensor From<T>(ReadOnlySpan<T> elements, Shape shape, Device? device = null) where T : unmanaged
    {
        RequireCount("From", elements.Length, shape);
        var tensor = Empty(shape, DTypes.Of<T>(), device);
        tensor.CopyFrom(elements);
        return tensor;
    }

    /// <inheritdoc cref="From{T}(ReadOnlySpan{T}, Shape, Device?)"/>
    public static Tensor From<T>(T[] elements, Shape shape, Device? device = null) where T : unmanaged =>
        From((ReadOnlySpan<T>)elements, shape, device);

    /// <summary>A float32 tensor of independent uniform numbers in [low, high), drawn from the device's generator.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">Bound that is not reached.</param>
    /// <param name="device">Where; the default device if null.</param>
    public static Tensor Uniform(Shape shape, float low = 0f, float high = 1f, Device? device = null)
    {
        var tensor = Empty(shape, DType.Float32, device);
        tensor.Device.Engine.Random.Uniform(tensor, low, high, tensor.Device.Random.Next());
        return tensor;
    }

    /// <summary>A float32 tensor of independent normal numbers, drawn from the device's generator.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="mean">Mean.</param>
    /// <param name="deviation">Standard deviation.</param>
    /// <param name="device">Where; the default device if null.</param>
    public static Tensor Normal(Shape shape, float mean = 0f, float deviation = 1f, Device? device = null)
    {
        var tensor = Empty(shape, DType.Float32, device);
        tensor.Device.Engine.Random.Normal(tensor, mean, deviation, tensor.Device.Random.Next());
        return tensor;
    }

    /// <summary>Overwrites the elements from the host, in NCHW order.</summary>
    /// <typeparam name="T">The C# type of the data type.</typeparam>
    /// <param name="elements">As many as the tensor has.</param>
    /// <exception cref="ShapeException">The number of elements differs.</exception>
    /// <exception cref="DTypeException">The data type differs.</exception>
    public void CopyFrom<T>(ReadOnlySpan<T> elements) where T : unmanaged
    {
        Require.DType("CopyFrom", "tensor", this, DTypes.Of<T>());
        RequireCount("CopyFrom", elements.Length, Shape);
        if (Layout != Layout.Nchw)
        {
            using var ordered = From(elements, Shape, Device);
            CopyFrom(ordered);
            return;
        }

        WriteBytes(0, MemoryMarshal.AsBytes(elements));
    }

    /// <summary>Overwrites the elements with those of another tensor of the same shape and data type, on any device and in any layout.</summary>
    /// <param name="source">Where the elements come from.</param>
    /// <exception cref="ShapeException">The shape differs.</exception>
    /// <exception cref="DTypeException">The data type differs.</exception>
    public void CopyFrom(Tensor source)
    {
        if (source.Shape != Shape) throw new ShapeException("CopyFrom", $"source of shape {source.Shape} for a tensor of shape {Shape}");
        Require.DType("CopyFrom", nameof(source), source, DType);
        using var local = source.To(Device);
        Device.Engine.Layout.Copy(local, this);
    }

    /// <summary>The elements, copied to the host in NCHW order.</summary>
    /// <typeparam name="T">The C# type of the data type.</typeparam>
    /// <exception cref="DTypeException">The data type differs.</exception>
    public T[] ToArray<T>() where T : unmanaged
    {
        var elements = new T[Count];
        CopyTo<T>(elements);
        return elements;
    }

    /// <summary>Copies the elements to the host in NCHW order.</summary>
    /// <typeparam name="T">The C# type of the data type.</typeparam>
    /// <param name="target">As many elements as the tensor has.</param>
    /// <exception cref="DTypeException">The data type differs.</exception>
    /// <exception cref="ShapeException">The target has another length.</exception>
    public void CopyTo<T>(Span<T> target) where T : unmanaged
    {
        Require.DType("CopyTo", "tensor", this, DTypes.Of<T>());
        if (target.Length != Count) throw new ShapeException("CopyTo", $"room for {target.Length} elements, shape {Shape} has {Count}");
        using var converted = ToLayoutOrNull(Layout.Nchw);
        (converted ?? this).ReadBytes(0, MemoryMarshal.AsBytes(target));
    }

    /// <summary>The only element.</summary>
    /// <exception cref="ShapeException">There is more than one element, or none.</exception>
    /// <exception cref="DTypeException">It is not a floating-point number.</exception>
    public float Item()
    {
        if (Count != 1) throw new ShapeException("Item", $"a tensor of shape {Shape} has {Count} elements, not one");
        var value = 0f;
        using var wide = DType == DType.Float32 ? null : To(DType.Float32);
        (wide ?? this).CopyTo(new Span<float>(ref value));
        return value;
    }

    /// <summary>Overwrites bytes in memory order, from byte <paramref name="start"/> of the tensor on.</summary>
    internal void WriteBytes(long start, ReadOnlySpan<byte> bytes)
    {
        AddReference();
        try
        {
            Device.Write(storage, ByteOffset + start, bytes);
        }
        finally
        {
            storage.Release();
        }
    }

    /// <summary>Copies bytes in memory order to the host, from byte <paramref name="start"/> of the tensor on.</summary>
    internal void ReadBytes(long start, Span<byte> bytes)
    {
        AddReference();
        try
        {
            Device.Read(storage, ByteOffset + start, bytes);
        }
        finally
        {
            storage.Release();
        }
    }

    private static void RequireCount(string operation, int elements, Shape shape)
    {
        if (elements != shape.Count) throw new ShapeException(operation, $"{elements} elements for shape {shape} of {shape.Count}");
    }
}
