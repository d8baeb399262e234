namespace CnnNative.Engines.Native;

/// <summary>Elementwise arithmetic in memory order, whatever the layout, and sums.</summary>
internal sealed class NativeElementwise(NativeContext context) : IElementwise
{
    public void Fill(Tensor y, float value)
    {
        if (y.Count == 0) return;
        using var target = y.OnDevice();
        context.Kernels.Fill(y.DType, MapLaunch.For(y), target, value, y.Count);
    }

    public void Add(Tensor a, Tensor b, Tensor y)
    {
        if (y.Count == 0) return;
        using var left = a.OnDevice();
        using var right = b.OnDevice();
        using var target = y.OnDevice();
        context.Kernels.Add(y.DType, MapLaunch.For(y), left, right, target, y.Count);
    }

    public void Multiply(Tensor a, Tensor b, Tensor y)
    {
        if (y.Count == 0) return;
        using var left = a.OnDevice();
        using var right = b.OnDevice();
        using var target = y.OnDevice();
        context.Kernels.Multiply(y.DType, MapLaunch.For(y), left, right, target, y.Count);
    }

    public void Scale(Tensor x, float factor, Tensor y)
    {
        if (y.Count == 0) return;
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        context.Kernels.Scale(y.DType, MapLaunch.For(y), source, factor, target, y.Count);
    }

    public void Sum(Tensor x, Tensor y)
    {
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        var launch = SumLaunch.For(x.Count, x.DType);
        using var partials = context.Rent(launch.Grid.X * sizeof(float));
        context.Kernels.SumPartial(x.DType, launch, source, x.Count, partials);
        context.Kernels.SumFinish(y.DType, new(1, MapLaunch.Threads), partials, launch.Grid.X, target);
    }

    public void Broadcast(Tensor scalar, float a, Tensor y)
    {
        if (y.Count == 0) return;
        using var source = scalar.OnDevice();
        using var target = y.OnDevice();
        context.Kernels.Broadcast(y.DType, MapLaunch.For(y), source, a, target, y.Count);
    }

    public void Increment(Tensor counter)
    {
        Require.DType(nameof(Increment), nameof(counter), counter, DType.Int64);
        using var target = counter.OnDevice();
        context.Kernels.Increment(new(1, 32), target);
    }

    public void Cast(Tensor x, Tensor y)
    {
        if (y.Count == 0) return;
        var launch = MapLaunch.ForCast(y.Count);
        using var source = x.OnDevice();
        using var target = y.OnDevice();
        switch (x.DType)
        {
            case DType.Float32: context.Kernels.CastFromF32(y.DType, launch, source, target, y.Count); break;
            case DType.BFloat16: context.Kernels.CastFromBf16(y.DType, launch, source, target, y.Count); break;
            case DType.Float16: context.Kernels.CastFromF16(y.DType, launch, source, target, y.Count); break;
            default: throw new EngineNotSupportedException("Native", nameof(Cast), $"data type {x.DType}");
        }
    }
}
