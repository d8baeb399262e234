using System.Runtime.CompilerServices;

namespace CnnNative.Engines.Cpu;

/// <summary>Moves elements of any size: between layouts, and in blocks.</summary>
internal sealed unsafe class CpuLayout(CpuThreads threads) : ILayout
{
    /// <summary>Bytes worth waking a thread.</summary>
    private const long Grain = 1 << 16;

    /// <summary>Side of the squares that are transposed at a time: two of them fit the first-level cache at eight bytes per element.</summary>
    private const int Tile = 32;

    public void Copy(Tensor x, Tensor y)
    {
        using var source = x.PinBytes();
        using var target = y.PinBytes();
        if (x.Layout == y.Layout)
        {
            CopyBytes(source, target, x.Count * x.DType.Size());
            return;
        }

        var shape = x.Shape;
        int channels = shape[1], pixels = checked((int)shape.CountFrom(2));
        var (rows, columns) = x.Layout == Layout.Nchw ? (channels, pixels) : (pixels, channels);
        switch (x.DType.Size())
        {
            case 1: Transpose(source.Pointer, target.Pointer, shape[0], rows, columns); break;
            case 2: Transpose((ushort*)source.Pointer, (ushort*)target.Pointer, shape[0], rows, columns); break;
            case 4: Transpose((float*)source.Pointer, (float*)target.Pointer, shape[0], rows, columns); break;
            default: Transpose((ulong*)source.Pointer, (ulong*)target.Pointer, shape[0], rows, columns); break;
        }
    }

    public void CopyBlocks(Tensor source, Tensor target, in BlockCopy blocks)
    {
        using var pinnedSource = source.PinBytes();
        using var pinnedTarget = target.PinBytes();
        byte* from = pinnedSource, to = pinnedTarget;
        var size = source.DType.Size();
        var (bytes, copy) = (blocks.Length * size, blocks);
        threads.For(blocks.Count, 1 + Grain / Math.Max(1, bytes), (first, last) =>
        {
            for (var b = first; b < last; b++)
            {
                Buffer.MemoryCopy(
                    from + (copy.SourceStart + b * copy.SourceStep) * size, to + (copy.TargetStart + b * copy.TargetStep) * size, bytes, bytes);
            }
        });
    }

    private void CopyBytes(byte* source, byte* target, long bytes) =>
        threads.For(bytes, Grain, (first, last) => Buffer.MemoryCopy(source + first, target + first, last - first, last - first));

    /// <summary>target[b][j][i] = source[b][i][j], with i below rows and j below columns.</summary>
    private void Transpose<T>(T* source, T* target, long count, int rows, int columns) where T : unmanaged
    {
        long tileRows = (rows + Tile - 1) / Tile, plane = (long)rows * columns;
        threads.For(count * tileRows, 1 + Grain / Math.Max(1, (long)Tile * columns * sizeof(T)), (first, last) =>
        {
            for (var strip = first; strip < last; strip++)
            {
                var (b, i) = (strip / tileRows, (int)(strip % tileRows) * Tile);
                TransposeStrip(source + b * plane + (long)i * columns, target + b * plane + i, Math.Min(Tile, rows - i), rows, columns);
            }
        });
    }

    /// <summary>At most <see cref="Tile"/> rows of a matrix become columns of the target.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeStrip<T>(T* source, T* target, int height, int rows, int columns) where T : unmanaged
    {
        for (var j = 0; j < columns; j += Tile)
        {
            var width = Math.Min(Tile, columns - j);
            if (typeof(T) == typeof(float))
            {
                CpuTranspose.Copy(height, width, (float*)source + j, columns, (float*)target + (long)j * rows, rows);
                continue;
            }

            for (var w = j; w < j + width; w++)
            {
                for (var h = 0; h < height; h++) target[(long)w * rows + h] = source[(long)h * columns + w];
            }
        }
    }
}
