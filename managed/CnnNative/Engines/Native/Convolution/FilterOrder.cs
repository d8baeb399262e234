using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Filters in another order; the twin of the structure in native/kernels/conv/gather_filters.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FilterOrder
{
    private Strides stride;
    private int start, count;
    private Sizes size;

    /// <summary>Elements of the target.</summary>
    public readonly int Count => count;

    /// <summary>(K, C, R, S) read in one layout and written in another.</summary>
    public static FilterOrder Between(in ConvolutionProblem p, Layout from, Layout to)
    {
        int channels = p.C / p.Groups, window = p.R * p.S, length = channels * window;
        var (c, r, s) = from == Layout.Nhwc ? (1, p.S * channels, channels) : (window, p.S, 1);
        return to == Layout.Nhwc
            ? Create([1, p.K, p.R, p.S, channels], [0, length, r, s, c], 0)
            : Create([1, p.K, channels, p.R, p.S], [0, length, c, r, s], 0);
    }

    /// <summary>The filters of a phase of the data gradient: groups, then channels as filters, each a patch of dy in a layout.</summary>
    public static FilterOrder OfPhase(in ConvolutionProblem p, in DataGradientPhase phase, Layout from, Layout to)
    {
        int channels = p.C / p.Groups, filters = p.K / p.Groups, window = p.R * p.S, length = channels * window;
        var (c, r, s) = from == Layout.Nhwc ? (1, p.S * channels, channels) : (window, p.S, 1);
        var start = phase.Rows.FirstTap * r + phase.Columns.FirstTap * s;
        var (stepR, stepS) = (phase.Rows.TapStep * r, phase.Columns.TapStep * s);
        return to == Layout.Nhwc
            ? Create([p.Groups, channels, phase.Rows.Taps, phase.Columns.Taps, filters], [filters * length, c, stepR, stepS, length], start)
            : Create([p.Groups, channels, filters, phase.Rows.Taps, phase.Columns.Taps], [filters * length, c, length, stepR, stepS], start);
    }

    /// <summary>A thread per element.</summary>
    public readonly LaunchConfiguration Launch() => new(Math.Max(1, (count + 255) / 256), 256);

    private static FilterOrder Create(ReadOnlySpan<int> sizes, ReadOnlySpan<int> strides, int start)
    {
        var order = new FilterOrder { start = start, count = 1 };
        for (var d = 0; d < sizes.Length; d++)
        {
            order.count *= sizes[d];
            order.stride[d] = strides[d];
            if (d > 0) order.size[d - 1] = new(sizes[d]);
        }

        return order;
    }

    [InlineArray(5)]
    private struct Strides
    {
        private int first;
    }

    [InlineArray(4)]
    private struct Sizes
    {
        private FastDivisor first;
    }
}
