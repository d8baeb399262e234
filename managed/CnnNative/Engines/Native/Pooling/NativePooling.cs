using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Two-dimensional pooling in NCHW and NHWC. Positions of maxima lie in the order of y's elements in memory.</summary>
internal sealed class NativePooling(NativeContext context) : IPooling
{
    /// <summary>Window size from which a warp, not a thread, adds up a window in NCHW.</summary>
    private const int WideWindow = 32;

    public void MaxForward(in PoolingProblem problem, Tensor x, Tensor y, Tensor? positions)
    {
        if (y.Count == 0) return;
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        using var places = positions.OnDevice();
        var (bytes, integers) = Places(positions, places);
        if (HalvingWalk.Forward(problem, x.Layout, x.DType, IsAligned(source, target, bytes)) is { } walk)
        {
            context.Kernels.MaxPoolHalvingForward(y.DType, walk.Launch, source, target, bytes, Geometry(problem, x, x.Layout == Layout.Nhwc), walk);
            return;
        }

        if (PoolTilePlan.Forward(problem, x.Layout, x.DType, IsAligned(source, target, bytes), positions is not null) is { } tiles)
        {
            context.Kernels.MaxPoolTileForward(y.DType, tiles.Launch, source, target, bytes, new(problem, x.Layout, tiles.Width), tiles.Tiling);
            return;
        }

        var geometry = new PoolGeometry(problem, x.Layout, 1);
        context.Kernels.MaxPoolForward(y.DType, MapLaunch.Over(geometry.Outputs), source, target, bytes, integers, geometry);
    }

    public void MaxBackward(in PoolingProblem problem, Tensor dy, Tensor positions, Tensor dx)
    {
        if (dx.Count == 0) return;
        using var gradient = dy.OnDevice();
        using var target = dx.OnDevice();
        using var places = positions.OnDevice();
        var (bytes, integers) = Places(positions, places);
        if (HalvingWalk.Backward(problem, dx.Layout, dx.DType, IsAligned(gradient, target, bytes)) is { } walk)
        {
            context.Kernels.MaxPoolHalvingBackward(dx.DType, walk.Launch, gradient, bytes, target, Geometry(problem, dx, dx.Layout == Layout.Nhwc), walk);
            return;
        }

        if (PoolTilePlan.Backward(problem, dx.Layout, dx.DType, IsAligned(gradient, target, bytes), places: true) is { } tiles)
        {
            context.Kernels.MaxPoolTileBackward(dx.DType, tiles.Launch, gradient, bytes, target, new(problem, dx.Layout, tiles.Width), tiles.Tiling);
            return;
        }

        var geometry = new PoolGeometry(problem, dx.Layout, 1);
        context.Kernels.MaxPoolBackward(dx.DType, MapLaunch.Over(geometry.Inputs), gradient, bytes, integers, target, geometry);
    }

    public void AverageForward(in PoolingProblem problem, Tensor x, Tensor y)
    {
        if (y.Count == 0) return;
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        if (TryGlobalOrHalvingForward(problem, x, source, target)) return;
        if (PoolTilePlan.Forward(problem, x.Layout, x.DType, IsAligned(source, target), places: false) is { } tiles)
        {
            context.Kernels.AveragePoolTileForward(y.DType, tiles.Launch, source, target, new(problem, x.Layout, tiles.Width), tiles.Tiling);
            return;
        }

        var geometry = new PoolGeometry(problem, x.Layout, 1);
        if (IsWide(problem, x.Layout)) context.Kernels.AveragePoolWideForward(y.DType, MapLaunch.Warps(geometry.Outputs), source, target, geometry);
        else context.Kernels.AveragePoolForward(y.DType, MapLaunch.Over(geometry.Outputs), source, target, geometry);
    }

    public void AverageBackward(in PoolingProblem problem, Tensor dy, Tensor dx)
    {
        if (dx.Count == 0) return;
        using var gradient = dy.OnDevice();
        using var target = dx.OnDevice();
        if (TryGlobalOrHalvingBackward(problem, dx, gradient, target)) return;
        if (PoolTilePlan.Backward(problem, dx.Layout, dx.DType, IsAligned(gradient, target), places: false) is { } tiles)
        {
            context.Kernels.AveragePoolTileBackward(dx.DType, tiles.Launch, gradient, target, new(problem, dx.Layout, tiles.Width), tiles.Tiling);
            return;
        }

        var geometry = new PoolGeometry(problem, dx.Layout, 1);
        context.Kernels.AveragePoolBackward(dx.DType, MapLaunch.Over(geometry.Inputs), gradient, target, geometry);
    }

    public void AdaptiveAverageForward(in AdaptivePoolingProblem problem, Tensor x, Tensor y)
    {
        if (y.Count == 0) return;
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        if (problem.Even is { } even && TryGlobalOrHalvingForward(even, x, source, target)) return;
        var vectors = TakesVectors(x, y, source, target);
        var geometry = AdaptiveGeometry.Forward(problem, x.Layout, x.DType, Width(x, vectors));
        if (vectors) context.Kernels.AdaptiveAveragePoolVectorForward(y.DType, geometry.Launch, source, target, geometry);
        else context.Kernels.AdaptiveAveragePoolForward(y.DType, geometry.Launch, source, target, geometry);
    }

    public void AdaptiveAverageBackward(in AdaptivePoolingProblem problem, Tensor dy, Tensor dx)
    {
        if (dx.Count == 0) return;
        using var gradient = dy.OnDevice();
        using var target = dx.OnDevice();
        if (problem.Even is { } even && TryGlobalOrHalvingBackward(even, dx, gradient, target)) return;
        var vectors = TakesVectors(dy, dx, gradient, target);
        var geometry = AdaptiveGeometry.Backward(problem, dx.Layout, dx.DType, Width(dx, vectors));
        if (vectors) context.Kernels.AdaptiveAveragePoolVectorBackward(dx.DType, geometry.Launch, gradient, target, geometry);
        else context.Kernels.AdaptiveAveragePoolBackward(dx.DType, geometry.Launch, gradient, target, geometry);
    }

    /// <summary>Whether threads take 16 bytes of channels: in NHWC, where their number and the addresses allow.</summary>
    internal static bool TakesVectors(Layout layout, int channels, DType type, ulong addresses) =>
        layout == Layout.Nhwc && channels % MapLaunch.Width(type) == 0 && addresses % 16 == 0;

    /// <summary>Whether a warp adds up each window.</summary>
    internal static bool IsWide(in PoolingProblem problem, Layout layout) => layout == Layout.Nchw && problem.R * problem.S >= WideWindow;

    /// <summary>Average pooling forward by the kernels for whole images or for halves, where they take it.</summary>
    private bool TryGlobalOrHalvingForward(in PoolingProblem problem, Tensor x, DevicePointer source, DevicePointer target)
    {
        var (layout, type, aligned) = (x.Layout, x.DType, IsAligned(source, target));
        if (GlobalAverage.Takes(problem, layout, type, aligned)) GlobalForward(problem, layout, type, source, target);
        else if (HalvingWalk.Forward(problem, layout, type, aligned) is { } walk)
            context.Kernels.AveragePoolHalvingForward(type, walk.Launch, source, target, Geometry(problem, x, layout == Layout.Nhwc), walk);
        else return false;
        return true;
    }

    /// <summary>Average pooling backward by the kernels for whole images or for halves, where they take it.</summary>
    private bool TryGlobalOrHalvingBackward(in PoolingProblem problem, Tensor dx, DevicePointer gradient, DevicePointer target)
    {
        var (layout, type, aligned) = (dx.Layout, dx.DType, IsAligned(gradient, target));
        if (GlobalAverage.Takes(problem, layout, type, aligned)) GlobalBackward(problem, layout, type, gradient, target);
        else if (HalvingWalk.Backward(problem, layout, type, aligned) is { } walk)
            context.Kernels.AveragePoolHalvingBackward(type, walk.Launch, gradient, target, Geometry(problem, dx, layout == Layout.Nhwc), walk);
        else return false;
        return true;
    }

    private void GlobalForward(in PoolingProblem p, Layout layout, DType type, DevicePointer x, DevicePointer y)
    {
        if (layout == Layout.Nchw)
        {
            var planes = GlobalAverage.PlanesForward(p, type);
            context.Kernels.GlobalAveragePoolPlanesForward(type, planes.Launch, x, y, p.N * p.C, p.H * p.W, planes.Bits);
            return;
        }

        var channels = GlobalAverage.Channels(p, type);
        context.Kernels.GlobalAveragePoolChannelsForward(type, channels.Launch, x, y, p.H * p.W, p.C / MapLaunch.Width(type), channels.Bits, channels.Slices);
    }

    private void GlobalBackward(in PoolingProblem p, Layout layout, DType type, DevicePointer dy, DevicePointer dx)
    {
        if (layout == Layout.Nchw)
        {
            var count = Index32.Of("AvgPool2d", p.InputShape.Count);
            context.Kernels.GlobalAveragePoolPlanesBackward(type, MapLaunch.Over(count, MapLaunch.Width(type)), dy, dx, count, new FastDivisor(p.H * p.W));
            return;
        }

        var channels = GlobalAverage.Channels(p, type);
        context.Kernels.GlobalAveragePoolChannelsBackward(type, channels.Launch, dy, dx, p.H * p.W, p.C / MapLaunch.Width(type), channels.Bits, channels.Slices);
    }

    private static bool IsAligned(DevicePointer first, DevicePointer second, DevicePointer third = default) =>
        (first.Address | second.Address | third.Address) % 16 == 0;

    private static bool TakesVectors(Tensor x, Tensor y, DevicePointer source, DevicePointer target) =>
        TakesVectors(x.Layout, x.Shape[1], y.DType, source.Address | target.Address);

    private static PoolGeometry Geometry(in PoolingProblem problem, Tensor x, bool vectors) => new(problem, x.Layout, Width(x, vectors));

    private static int Width(Tensor x, bool vectors) => vectors ? MapLaunch.Width(x.DType) : 1;

    private static (DevicePointer Bytes, DevicePointer Integers) Places(Tensor? positions, DevicePointer places) =>
        positions?.DType == DType.Int32 ? (DevicePointer.Null, places) : (places, DevicePointer.Null);
}
