using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Interop;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>
/// The kernels of compute capability 9.0 tile by tile: blocks that make several tiles, bits that depend on neither tiles nor blocks, bytes as few as
/// the tiles must read, and tensor maps that a captured step keeps. Numbers are eighths, whose sums in float are exact.
/// </summary>
public sealed class WgmmaTests : NativeTests
{
    private const int M = 264, N = 328, K = 200;

    private NativeContext Context => ((NativeEngine)Cuda.Engine).Context;

    [SetUp]
    public void RequireHopper() => WgmmaSwitch.To(wgmma: true, Cuda).Dispose();

    [Test]
    public void A_product_in_every_tile(
        [Values(256, 128, 64)] int columns, [Values("nn", "nt", "tn")] string form,
        [Values(DType.BFloat16, DType.Float16)] DType type, [Values(1, 5)] int blocks)
    {
        var exact = NaiveMatrix.Multiply(Cast.Double(Eighths(M * K, 1)), form[0] == 't', Cast.Double(Eighths(K * N, 2)), form[1] == 't', M, N, K);
        var (plain, split) = (Product(columns, form, type, blocks, 1), Product(columns, form, type, blocks, 2));
        Agreement.CheckRounded(plain, exact, "whole", type);
        Agreement.CheckExact(split, exact, "sums of two splits, in float");
    }

    /// <summary>One multiprocessor takes the largest tile, one after the other; 132 take small ones.</summary>
    [Test]
    public void A_convolution_has_the_same_bits_in_every_tile([Values(64, 128, 256)] int filters, [Values] Layout layout, [Values(1, 2)] int stride)
    {
        var problem = ConvolutionShapes.Problem(2, 136, 9, 8, filters, 3, 3, pad: 1, stride: stride);
        using var scope = Cuda.Inference();
        var side = new Side(Cuda, DType.BFloat16);
        Tensor x = side.Of(Eighths(problem.InputShape.Count, 3), problem.InputShape, layout), w = side.Of(Eighths(problem.WeightShape.Count, 4), problem.WeightShape, layout);
        var dy = side.Of(Eighths(problem.OutputShape.Count, 5), problem.OutputShape, layout);
        var one = new ImplicitConvolution(Context, new WgmmaConvolution(Context, DType.BFloat16, 1), 1);
        var portable = new ImplicitConvolution(Context, new MmaConvolution(Context, DType.BFloat16), Context.Info.Multiprocessors);
        Assert.That(Passes(one), Is.EqualTo(Passes(portable)));

        float[] Passes(ImplicitConvolution convolution)
        {
            Tensor y = side.Empty(problem.OutputShape, layout), dx = side.Empty(problem.InputShape, layout), dw = side.Empty(problem.WeightShape, layout);
            using (var xView = x.OnDevice())
            using (var wView = w.OnDevice())
            using (var dyView = dy.OnDevice())
            using (var yView = y.OnDevice())
            using (var dxView = dx.OnDevice())
            using (var dwView = dw.OnDevice())
            {
                convolution.Forward(problem, new(xView, layout), new(wView, layout), default, Epilogues.None, new(yView, layout));
                convolution.BackwardData(problem, new(dyView, layout), new(wView, layout), new(dxView, layout));
                convolution.BackwardWeight(problem, new(xView, layout), new(dyView, layout), new(dwView, layout));
            }

            return [.. Side.Read(y), .. Side.Read(dx), .. Side.Read(dw)];
        }
    }

    /// <summary>Images that are products of their own, more of them than blocks.</summary>
    [Test]
    public void More_products_than_blocks()
    {
        var problem = ConvolutionShapes.Problem(Context.Info.Multiprocessors + 9, 8, 2, 4, 8, 1, 1);
        var convolution = (NativeConvolution)Cuda.Engine.Convolution;
        convolution.Forced = ConvolutionAlgorithm.Pointwise;
        var (wgmma, portable) = (Forward(true), Forward(false));
        convolution.Forced = null;
        Assert.That(wgmma, Is.EqualTo(portable));

        float[] Forward(bool hopper)
        {
            using var kernels = WgmmaSwitch.To(hopper, Cuda);
            using var scope = Cuda.Inference();
            var side = new Side(Cuda, DType.BFloat16);
            var y = side.Empty(problem.OutputShape);
            convolution.Forward(
                problem, side.Of(Eighths(problem.InputShape.Count, 6), problem.InputShape), side.Of(Eighths(problem.WeightShape.Count, 7), problem.WeightShape), null, ActivationKind.Identity, y);
            return Side.Read(y);
        }
    }

    [Test]
    public void Operands_are_read_once_per_tile(
        [Values(256, 128, 64)] int columns, [Values("nn", "nt", "tn")] string form)
    {
        if (!Emulator.IsUsed) Assert.Ignore("counters are those of the emulated driver");
        const int m = 256, n = 256, k = 192;
        var tile = OfColumns(columns);
        using var scope = Cuda.Inference();
        var (a, b, c) = Operands(form, DType.BFloat16, m, n, k);
        EmulatedCounters.Reset();
        Launch(tile, form, DType.BFloat16, 3, 1, a, b, c, m, n, k);
        Cuda.Synchronize();
        var counters = EmulatedCounters.Of($"wgmma_gemm_{form}_128x{columns}_bf16");
        Assert.That(counters.GlobalLoadSectors * 32, Is.EqualTo((ulong)(tile.Count(m, n) * (tile.Rows + columns) * k * 2)), "bytes read");
        Assert.That(counters.GlobalStoreSectors * 32, Is.EqualTo((ulong)m * n * 2), "bytes written");
        Assert.That(counters.Flops, Is.InRange(2ul * m * n * k, (ulong)(2.02 * m * n * k)), "nothing is multiplied twice");
        Assert.That(counters.WidestGlobalAccess, Is.EqualTo(16));
        Assert.That((counters.SharedLoadWavefronts + counters.SharedStoreWavefronts, counters.MaxSharedConflict), Is.EqualTo((counters.SharedIdealWavefronts, 1ul)), "no conflict");
    }

    [Test]
    public void A_convolution_reads_patches_once_per_tile()
    {
        if (!Emulator.IsUsed) Assert.Ignore("counters are those of the emulated driver");
        using var kernels = WgmmaSwitch.To(wgmma: true, Cuda);
        var problem = ConvolutionShapes.Problem(1, 128, 16, 16, 64, 3, 3);
        using var scope = Cuda.Inference();
        var side = new Side(Cuda, DType.BFloat16);
        Tensor x = side.Of(Eighths(problem.InputShape.Count, 3), problem.InputShape, Layout.Nhwc), w = side.Of(Eighths(problem.WeightShape.Count, 4), problem.WeightShape, Layout.Nhwc);
        var y = side.Empty(problem.OutputShape, Layout.Nhwc);
        Cuda.Synchronize();
        EmulatedCounters.Reset();
        Cuda.Engine.Convolution.Forward(problem, x, w, null, ActivationKind.Relu, y);
        Cuda.Synchronize();
        var counters = EmulatedCounters.Of("wgmma_conv_forward_128x64_bf16");
        // Two tiles of 128 pixels, of which 196 exist.
        Assert.That(counters.GlobalLoadSectors * 32, Is.EqualTo((196ul + 2 * 64) * 9 * 128 * 2), "bytes read");
        Assert.That(counters.WidestGlobalAccess, Is.EqualTo(16));
        Assert.That((counters.SharedLoadWavefronts + counters.SharedStoreWavefronts, counters.MaxSharedConflict), Is.EqualTo((counters.SharedIdealWavefronts, 1ul)), "no conflict");
    }

    [Test]
    public void A_captured_step_keeps_its_tensor_maps()
    {
        using var kernels = WgmmaSwitch.To(wgmma: true, Cuda);
        var problem = ConvolutionShapes.Problem(1, 64, 6, 6, 72, 3, 3, pad: 1);
        var side = new Side(Cuda, DType.BFloat16);
        using Tensor x = side.Of(Eighths(problem.InputShape.Count, 8), problem.InputShape, Layout.Nhwc), w = side.Of(Eighths(problem.WeightShape.Count, 9), problem.WeightShape, Layout.Nhwc);
        using Tensor eager = side.Empty(problem.OutputShape, Layout.Nhwc), replayed = side.Empty(problem.OutputShape, Layout.Nhwc);
        using var step = Cuda.Capture(() => Cuda.Engine.Convolution.Forward(problem, x, w, null, ActivationKind.Relu, replayed));
        using var other = side.Of(Eighths(problem.InputShape.Count, 10), problem.InputShape, Layout.Nhwc);
        x.CopyFrom(other);
        step.Replay();
        Cuda.Engine.Convolution.Forward(problem, other, w, null, ActivationKind.Relu, eager);
        using var scope = Cuda.Inference();
        Assert.That(Side.Read(replayed), Is.EqualTo(Side.Read(eager)));
    }

    private static Tile OfColumns(int columns) => TileSet.Wgmma.Tiles.ToArray().Single(tile => tile.Columns == columns);

    /// <summary>(M, K) (K, N) in tiles of so many columns; with two splits their sums, added up here.</summary>
    private float[] Product(int columns, string form, DType type, int blocks, int splits)
    {
        using var scope = Cuda.Inference();
        var (a, b, _) = Operands(form, type, M, N, K);
        var c = Tensor.Full([splits, M, N], float.NaN, Cuda);
        if (splits == 1) c = c.To(type);
        Launch(OfColumns(columns), form, type, blocks, splits, a, b, c, M, N, K);
        var found = Side.Read(c);
        return [.. Enumerable.Range(0, M * N).Select(i => splits == 1 ? found[i] : found[i] + found[M * N + i])];
    }

    private (Tensor A, Tensor B, Tensor C) Operands(string form, DType type, int m, int n, int k) => (
        Tensor.From(Eighths(m * k, 1), form[0] == 't' ? [k, m] : [m, k], Cuda).To(type), Tensor.From(Eighths(k * n, 2), form[1] == 't' ? [n, k] : [k, n], Cuda).To(type),
        Tensor.Empty([m, n], type, Cuda));

    private void Launch(Tile tile, string form, DType type, int blocks, int splits, Tensor a, Tensor b, Tensor c, int m, int n, int k)
    {
        using var aView = a.OnDevice();
        using var bView = b.OnDevice();
        using var cView = c.OnDevice();
        var steps = TileSet.Wgmma.Steps(k);
        var plan = new TilePlan(tile, splits, (steps + splits - 1) / splits, 0);
        var product = new GemmProduct(m, n, k, new(aView, a.Shape[1], form[0] == 't'), new(bView, b.Shape[1], form[1] == 't'));
        var problem = new GemmProblem { M = m, N = n, K = k, WideC = 1, RowStride = n, ColumnStride = 1, BatchC = (long)m * n };
        var (whole, partial) = splits == 1 ? ((DevicePointer)cView, default(DevicePointer)) : (default, cView);
        new WgmmaGemm(Context, type, blocks).Launch(plan, product, problem, default, whole, partial, Epilogues.None);
    }

    private static float[] Eighths(long count, int seed)
    {
        var random = new Random(seed);
        return Array.ConvertAll(new float[count], _ => random.Next(-8, 9) / 8f);
    }
}
