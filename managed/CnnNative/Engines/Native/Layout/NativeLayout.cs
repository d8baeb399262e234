using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Moves elements of any size: between layouts, and in blocks.</summary>
internal sealed class NativeLayout(NativeContext context) : ILayout
{
    public void Copy(Tensor x, Tensor y)
    {
        if (y.Count == 0) return;
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        int channels = x.Rank == 4 ? x.Shape[1] : 1, pixels = x.Rank == 4 ? Index32.Of("Copy", x.Shape.CountFrom(2)) : 1;
        if (x.Layout == y.Layout || channels == 1 || pixels == 1) context.Stream.Copy(target, source, y.Bytes);
        else Exchange(new(source, x.Layout), target, x.Shape[0], channels, pixels, x.DType);
    }

    /// <summary>Copies images from their layout to the other one.</summary>
    internal void Exchange(Placed source, DevicePointer target, int images, int channels, int pixels, DType type)
    {
        var (rows, columns) = source.Layout == Layout.Nchw ? (channels, pixels) : (pixels, channels);
        Transpose(source.Pointer, target, images, rows, columns, type.Size());
    }

    public void CopyBlocks(Tensor source, Tensor target, in BlockCopy blocks)
    {
        if (blocks.Count == 0 || blocks.Length == 0) return;
        using var from = source.OnDevice();
        using var to = target.OnDevice();
        var (unit, rest) = BlockCopyPlan.Widen(blocks, source.DType.Size(), from.Pointer.Address | to.Pointer.Address);
        var most = int.MaxValue / Index32.Of("CopyBlocks", rest.Length);
        for (; rest.Count > 0; rest = After(rest, most))
        {
            var plan = new BlockCopyPlan(rest with { Count = Math.Min(rest.Count, most) });
            context.Kernels.CopyBlocks(CopyKernel(unit), MapLaunch.Over(plan.Count), from, to, plan);
        }
    }

    private static BlockCopy After(in BlockCopy blocks, long done) => blocks with
    {
        Count = Math.Max(0, blocks.Count - done),
        SourceStart = blocks.SourceStart + done * blocks.SourceStep,
        TargetStart = blocks.TargetStart + done * blocks.TargetStep,
    };

    private static Kernel CopyKernel(int bytes) => bytes switch
    {
        1 => Kernel.CopyBlocksB8,
        2 => Kernel.CopyBlocksB16,
        4 => Kernel.CopyBlocksB32,
        8 => Kernel.CopyBlocksB64,
        _ => Kernel.CopyBlocksB128,
    };

    private void Transpose(DevicePointer x, DevicePointer y, int batch, int rows, int columns, int bytes)
    {
        var plan = TransposeLaunch.For(batch, rows, columns, bytes);
        if (plan.Narrow)
            context.Kernels.TransposeNarrow(NarrowKernel(bytes), plan.Launch, x, y, batch, plan.Rows, plan.Columns, plan.ColumnsFirst ? 1 : 0);
        else
            context.Kernels.Transpose(TileKernel(bytes), plan.Launch, x, y, batch, rows, columns);
    }

    private static Kernel TileKernel(int bytes) => bytes switch
    {
        1 => Kernel.TransposeB8,
        2 => Kernel.TransposeB16,
        4 => Kernel.TransposeB32,
        _ => Kernel.TransposeB64,
    };

    private static Kernel NarrowKernel(int bytes) => bytes switch
    {
        1 => Kernel.TransposeNarrowB8,
        2 => Kernel.TransposeNarrowB16,
        4 => Kernel.TransposeNarrowB32,
        _ => Kernel.TransposeNarrowB64,
    };
}
