namespace CnnNative.Engines.Cpu;

/// <summary>Two-dimensional pooling: planes of NCHW or, in NHWC, lanes of channels.</summary>
internal sealed unsafe class CpuPooling(CpuThreads threads) : IPooling
{
    public void MaxForward(in PoolingProblem problem, Tensor x, Tensor y, Tensor? positions)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedY = y.Pin<float>();
        using var pinnedBytes = positions is { DType: DType.UInt8 } ? positions.Pin<byte>() : default;
        using var pinnedInts = positions is { DType: DType.Int32 } ? positions.Pin<int>() : default;
        float* source = pinnedX, target = pinnedY;
        byte* bytes = pinnedBytes;
        int* ints = pinnedInts;
        var p = problem;
        var inner = new PlaneIndex(x.Layout, p.C, p.H, p.W);
        var outer = new PlaneIndex(x.Layout, p.C, p.P, p.Q);
        threads.For((long)p.N * p.C, 1, (first, last) =>
        {
            for (var plane = first; plane < last; plane++)
            {
                for (var row = 0; row < p.P; row++)
                {
                    for (var column = 0; column < p.Q; column++)
                    {
                        var (best, place) = Maximum(p, source, inner, plane, row, column);
                        var at = outer.At(plane, row, column);
                        target[at] = best;
                        if (bytes is not null) bytes[at] = (byte)place;
                        if (ints is not null) ints[at] = place;
                    }
                }
            }
        });
    }

    public void MaxBackward(in PoolingProblem problem, Tensor dy, Tensor positions, Tensor dx)
    {
        using var pinnedDy = dy.Pin<float>();
        using var pinnedDx = dx.Pin<float>();
        using var pinnedBytes = positions is { DType: DType.UInt8 } ? positions.Pin<byte>() : default;
        using var pinnedInts = positions is { DType: DType.Int32 } ? positions.Pin<int>() : default;
        float* gradient = pinnedDy, target = pinnedDx;
        byte* bytes = pinnedBytes;
        int* ints = pinnedInts;
        var p = problem;
        var inner = new PlaneIndex(dx.Layout, p.C, p.H, p.W);
        var outer = new PlaneIndex(dx.Layout, p.C, p.P, p.Q);
        new Span<byte>(target, checked((int)(dx.Count * sizeof(float)))).Clear();
        threads.For((long)p.N * p.C, 1, (first, last) =>
        {
            for (var plane = first; plane < last; plane++)
            {
                for (var row = 0; row < p.P; row++)
                {
                    for (var column = 0; column < p.Q; column++)
                    {
                        var at = outer.At(plane, row, column);
                        var place = bytes is not null ? bytes[at] : ints[at];
                        var (h, w) = (row * p.StrideH - p.PadH + place / p.S * p.DilationH, column * p.StrideW - p.PadW + place % p.S * p.DilationW);
                        target[inner.At(plane, h, w)] += gradient[at];
                    }
                }
            }
        });
    }

    public void AverageForward(in PoolingProblem problem, Tensor x, Tensor y)
    {
        using var pinnedX = x.Pin<float>();
        using var pinnedY = y.Pin<float>();
        float* source = pinnedX, target = pinnedY;
        var p = problem;
        var inner = new PlaneIndex(x.Layout, p.C, p.H, p.W);
        var outer = new PlaneIndex(x.Layout, p.C, p.P, p.Q);
        threads.For((long)p.N * p.C, 1, (first, last) =>
        {
            for (var plane = first; plane < last; plane++)
            {
                for (var row = 0; row < p.P; row++)
                {
                    for (var column = 0; column < p.Q; column++)
                    {
                        var (top, bottom, left, right, divisor) = Window(p, row, column);
                        var sum = 0f;
                        for (var h = top; h < bottom; h++)
                        {
                            for (var w = left; w < right; w++) sum += source[inner.At(plane, h, w)];
                        }

                        target[outer.At(plane, row, column)] = sum / divisor;
                    }
                }
            }
        });
    }

    public void AverageBackward(in PoolingProblem problem, Tensor dy, Tensor dx)
    {
        using var pinnedDy = dy.Pin<float>();
        using var pinnedDx = dx.Pin<float>();
        float* gradient = pinnedDy, target = pinnedDx;
        var p = problem;
        var inner = new PlaneIndex(dx.Layout, p.C, p.H, p.W);
        var outer = new PlaneIndex(dx.Layout, p.C, p.P, p.Q);
        new Span<byte>(target, checked((int)(dx.Count * sizeof(float)))).Clear();
        threads.For((long)p.N * p.C, 1, (first, last) =>
        {
            for (var plane = first; plane < last; plane++)
            {
                for (var row = 0; row < p.P; row++)
                {
                    for (var column = 0; column < p.Q; column++)
                    {
                        var (top, bottom, left, right, divisor) = Window(p, row, column);
                        var share = gradient[outer.At(plane, row, column)] / divisor;
                        for (var h = top; h < bottom; h++)
                        {
                            for (var w = left; w < right; w++) target[inner.At(plane, h, w)] += share;
                        }
                    }
                }
            }
        });
    }

    private static (float Value, int Place) Maximum(in PoolingProblem p, float* x, PlaneIndex index, long plane, int row, int column)
    {
        var (best, place) = (float.NegativeInfinity, -1);
        for (var r = 0; r < p.R; r++)
        {
            for (var s = 0; s < p.S; s++)
            {
                var (h, w) = (row * p.StrideH - p.PadH + r * p.DilationH, column * p.StrideW - p.PadW + s * p.DilationW);
                if ((uint)h >= (uint)p.H || (uint)w >= (uint)p.W) continue;
                var value = x[index.At(plane, h, w)];
                if (place < 0 || value > best || (float.IsNaN(value) && !float.IsNaN(best))) (best, place) = (value, r * p.S + s);
            }
        }

        return (best, place);
    }

    /// <summary>The part of an averaging window that lies in the image, and what its sum is divided by.</summary>
    private static (int Top, int Bottom, int Left, int Right, int Divisor) Window(in PoolingProblem p, int row, int column)
    {
        var (top, left) = (row * p.StrideH - p.PadH, column * p.StrideW - p.PadW);
        var (bottom, right) = (Math.Min(top + p.R, p.H + p.PadH), Math.Min(left + p.S, p.W + p.PadW));
        var padded = (bottom - top) * (right - left);
        (top, left, bottom, right) = (Math.Max(top, 0), Math.Max(left, 0), Math.Min(bottom, p.H), Math.Min(right, p.W));
        return (top, bottom, left, right, p.CountIncludePad ? padded : (bottom - top) * (right - left));
    }

    /// <summary>Where element (h, w) of plane n * C + c lies.</summary>
    private readonly struct PlaneIndex(Layout layout, int channels, int height, int width)
    {
        public long At(long plane, int h, int w) => layout == Layout.Nchw
            ? (plane * height + h) * width + w
            : ((plane / channels * height + h) * width + w) * channels + plane % channels;
    }
}
