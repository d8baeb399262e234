using System.Runtime.CompilerServices;
using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>
/// How the copy engine of compute capability 9.0 finds boxes of a tensor in device memory: CUtensorMap, 128 bytes that go to a
/// kernel by value (<c>const __grid_constant__</c>). The driver owns nothing of it, so that it is a value and no handle. It holds the tensor's address: as with
/// a <see cref="DevicePointer"/>, whoever launches a kernel with it holds the memory until then.
/// </summary>
/// <remarks>Source: CUDA Driver API, tensor map object management; PTX ISA, tensors.</remarks>
public readonly unsafe struct TensorMap
{
    private const int Bytes = 128, Alignment = 64, MaxRank = 5;

    private readonly Words words;

    private TensorMap(in Words words) => this.words = words;

    /// <summary>Boxes of a fixed size at any place; what lies outside of the tensor reads as the fill and is not written.</summary>
    /// <param name="context">Where the map is used.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="box">Elements of a box along each dimension, at most 256, the innermost first; its innermost row is a multiple of 16 bytes.</param>
    /// <param name="options">Order in shared memory, fill, fetches into the level-2 cache.</param>
    /// <exception cref="ArgumentException">The number of sizes, strides, steps or of the box's dimensions do not agree.</exception>
    /// <exception cref="CudaException">The driver refuses the values, or the device has no such copy engine.</exception>
    public static TensorMap Tiled(CudaContext context, in TensorMapSource tensor, ReadOnlySpan<int> box, TensorMapOptions options = default)
    {
        var rank = Rank(tensor);
        if (box.Length != rank) throw new ArgumentException($"TensorMap.Tiled: a box of {box.Length} dimensions for a tensor of {rank}", nameof(box));
        using var use = context.Use();
        context.Bind();
        var room = stackalloc byte[Bytes + Alignment];
        var map = Aligned(room);
        CudaStatus status;
        fixed (ulong* sizes = tensor.Sizes, strides = tensor.Strides)
        fixed (int* boxSizes = box, steps = tensor.Steps)
        {
            var ones = stackalloc uint[] { 1, 1, 1, 1, 1 };
            status = RawDriver.cuTensorMapEncodeTiled(
                map, (int)tensor.Type, (uint)rank, tensor.Address.Address, sizes, strides, (uint*)boxSizes, steps is null ? ones : (uint*)steps,
                (int)options.Interleave, (int)options.Swizzle, (int)options.Promotion, (int)options.Fill);
        }

        if (status != CudaStatus.Success) Status.Throw("cuTensorMapEncodeTiled", status, $"{Describe(tensor)}, box ({string.Join(", ", box.ToArray())}), {options}");
        return new(*map);
    }

    /// <summary>
    /// Columns of pixels for an implicit convolution over a tensor (C, W, H, N) or with one or three spatial dimensions, the innermost first: a
    /// copy takes <paramref name="pixels"/> pixels one after the other from the box that the corners leave of each image, at an offset that the copy names.
    /// </summary>
    /// <param name="context">Where the map is used.</param>
    /// <param name="tensor">The tensor: channels innermost, images outermost; 3 to 5 dimensions.</param>
    /// <param name="lower">Per spatial dimension, the innermost first: where the box begins, such as -padding.</param>
    /// <param name="upper">Per spatial dimension: where it ends, counted from the image's end, such as padding - dilation * (filter - 1).</param>
    /// <param name="channels">Channels per pixel of a copy, at most 256.</param>
    /// <param name="pixels">Pixels of a copy, at most 1024.</param>
    /// <param name="options">Order in shared memory, fill, fetches into the level-2 cache.</param>
    /// <exception cref="ArgumentException">The number of sizes, strides, steps or corners do not agree.</exception>
    /// <exception cref="CudaException">The driver refuses the values, or the device has no such copy engine.</exception>
    public static TensorMap Im2col(
        CudaContext context, in TensorMapSource tensor, ReadOnlySpan<int> lower, ReadOnlySpan<int> upper, int channels, int pixels, TensorMapOptions options = default)
    {
        var rank = Rank(tensor);
        if (lower.Length != rank - 2 || upper.Length != rank - 2)
            throw new ArgumentException($"TensorMap.Im2col: corners of {lower.Length} and {upper.Length} dimensions for a tensor with {rank - 2} between channels and images", nameof(lower));
        using var use = context.Use();
        context.Bind();
        var room = stackalloc byte[Bytes + Alignment];
        var map = Aligned(room);
        CudaStatus status;
        fixed (ulong* sizes = tensor.Sizes, strides = tensor.Strides)
        fixed (int* lowerCorner = lower, upperCorner = upper, steps = tensor.Steps)
        {
            var ones = stackalloc uint[] { 1, 1, 1, 1, 1 };
            status = RawDriver.cuTensorMapEncodeIm2col(
                map, (int)tensor.Type, (uint)rank, tensor.Address.Address, sizes, strides, lowerCorner, upperCorner, (uint)channels, (uint)pixels,
                steps is null ? ones : (uint*)steps, (int)options.Interleave, (int)options.Swizzle, (int)options.Promotion, (int)options.Fill);
        }

        if (status != CudaStatus.Success)
            Status.Throw("cuTensorMapEncodeIm2col", status, $"{Describe(tensor)}, corners ({string.Join(", ", lower.ToArray())}) and ({string.Join(", ", upper.ToArray())}), {channels} channels of {pixels} pixels, {options}");
        return new(*map);
    }

    private static int Rank(in TensorMapSource tensor)
    {
        var rank = tensor.Sizes.Length;
        if (rank is < 1 or > MaxRank) throw new ArgumentException($"TensorMap: {rank} dimensions; 1 to {MaxRank} are possible", nameof(tensor));
        if (tensor.Strides.Length != rank - 1) throw new ArgumentException($"TensorMap: {tensor.Strides.Length} strides for {rank} dimensions; the innermost has none", nameof(tensor));
        if (!tensor.Steps.IsEmpty && tensor.Steps.Length != rank) throw new ArgumentException($"TensorMap: {tensor.Steps.Length} steps for {rank} dimensions", nameof(tensor));
        return rank;
    }

    private static Words* Aligned(byte* room) => (Words*)(((nint)room + Alignment - 1) & -Alignment);

    private static string Describe(in TensorMapSource tensor) =>
        $"tensor map of {tensor.Type} ({string.Join(", ", tensor.Sizes.ToArray())}) at {tensor.Address}, strides of ({string.Join(", ", tensor.Strides.ToArray())}) bytes";

    [InlineArray(Bytes / sizeof(ulong))]
    private struct Words
    {
        private ulong first;
    }
}
