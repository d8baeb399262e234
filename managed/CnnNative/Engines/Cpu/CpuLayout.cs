namespace CnnNative.Engines.Cpu;

/// <summary>Moves elements of any size: between layouts, and in blocks.</summary>
internal sealed unsafe class CpuLayout(CpuThreads threads) : ILayout
{
    public void Copy(Tensor x, Tensor y)
    {
        using var source = x.PinBytes();
        using var target = y.PinBytes();
        var bytes = x.Count * x.DType.Size();
        if (x.Layout == y.Layout)
        {
            Buffer.MemoryCopy(source, target, bytes, bytes);
            return;
        }

        var shape = x.Shape;
        long channels = shape[1], pixels = shape.CountFrom(2);
        var (rows, columns) = x.Layout == Layout.Nchw ? (channels, pixels) : (pixels, channels);
        switch (x.DType.Size())
        {
            case 1: Transpose((byte*)source, (byte*)target, shape[0], rows, columns); break;
            case 2: Transpose((ushort*)source.Pointer, (ushort*)target.Pointer, shape[0], rows, columns); break;
            case 4: Transpose((uint*)source.Pointer, (uint*)target.Pointer, shape[0], rows, columns); break;
            default: Transpose((ulong*)source.Pointer, (ulong*)target.Pointer, shape[0], rows, columns); break;
        }
    }

    public void CopyBlocks(Tensor source, Tensor target, in BlockCopy blocks)
    {
        using var from = source.PinBytes();
        using var to = target.PinBytes();
        var size = source.DType.Size();
        var bytes = blocks.Length * size;
        for (long b = 0; b < blocks.Count; b++)
        {
            Buffer.MemoryCopy(
                from.Pointer + (blocks.SourceStart + b * blocks.SourceStep) * size,
                to.Pointer + (blocks.TargetStart + b * blocks.TargetStep) * size, bytes, bytes);
        }
    }

    /// <summary>target[b][j][i] = source[b][i][j], with i below rows and j below columns.</summary>
    private void Transpose<T>(T* source, T* target, long count, long rows, long columns) where T : unmanaged
    {
        threads.For(count, 1, (first, last) =>
        {
            for (var b = first; b < last; b++)
            {
                T* from = source + b * rows * columns, to = target + b * rows * columns;
                for (long i = 0; i < rows; i++)
                {
                    for (long j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
                }
            }
        });
    }
}
