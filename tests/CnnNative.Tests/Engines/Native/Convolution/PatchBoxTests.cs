using CnnNative.Engines;
using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>The copy engine's walk over the pixels of a box, plus the taps that a kernel adds, is the definition; and what its bits do not hold is refused.</summary>
[TestFixture]
public sealed class PatchBoxTests
{
    [Test]
    public void Windows_of_the_forward_pass(
        [Values(1, 5, 12)] int size, [Values(0, 1, 4)] int pad, [Values(1, 2, 3)] int stride, [Values(1, 2, 6)] int dilation, [Values(1, 2, 5)] int window)
    {
        var problem = Problem(size, pad, stride, dilation, window);
        if (problem.P < 1) return;
        Walks(ConvGeometry.Forward(problem, Layout.Nhwc, Layout.Nhwc));
    }

    [Test]
    public void Windows_of_the_phases_of_the_data_gradient(
        [Values(1, 5, 12)] int size, [Values(0, 1, 4)] int pad, [Values(1, 2, 3)] int stride, [Values(1, 2, 6)] int dilation, [Values(1, 2, 5)] int window)
    {
        var problem = Problem(size, pad, stride, dilation, window);
        if (problem.P < 1) return;
        for (var i = 0; i < DataGradientPhase.Count(problem); i++)
        {
            var phase = DataGradientPhase.At(problem, i);
            if (!phase.IsEmpty) Walks(phase.Geometry(problem, Layout.Nhwc, Layout.Nhwc));
        }
    }

    [Test]
    public void What_the_copy_engine_has_no_bits_for_is_refused()
    {
        Assert.That(Takes(Problem(300, 1, 1, 1, 3)), "an ordinary one");
        Assert.That(Takes(Problem(300, 128, 1, 1, 3)), "a corner of -128");
        Assert.That(Takes(Problem(300, 129, 1, 1, 3)), Is.False, "a corner of -129");
        Assert.That(Takes(Problem(300, 0, 9, 1, 3)), Is.False, "steps of 9");
        Assert.That(Takes(Problem(600, 127, 1, 127, 3)), "taps that reach 254");
        Assert.That(Takes(Problem(600, 127, 1, 128, 3)), Is.False, "taps that reach 256");
        Assert.That(Takes(Problem(9, 1, 1, 1, 3) with { PaddingMode = PaddingMode.Reflect }), Is.False, "padding that is not zeros");
        Assert.That(Takes(Problem(9, 1, 1, 1, 3) with { C = 12 }), Is.False, "pixels of 24 bytes");
        Assert.That(Takes(Problem(9, 1, 1, 1, 3) with { C = 64, Groups = 2 }), Is.False, "half a slice per group");
        Assert.That(Takes(Problem(9, 1, 1, 1, 3) with { C = 128, Groups = 2 }), "a slice per group");
        Assert.That(WgmmaConvolution.CanDo(Problem(9, 1, 1, 1, 3), ConvolutionPass.Forward, DType.Float32), Is.False, "fp32");
    }

    private static bool Takes(ConvolutionProblem problem) => WgmmaConvolution.CanDo(problem, ConvolutionPass.Forward, DType.BFloat16);

    private static void Walks(in ConvGeometry g)
    {
        var box = PatchBox.Rows(g);
        Assert.That(box.Fits);
        var windows = new List<int>();
        for (var place = box.Lower; place < g.Height + box.Upper; place += box.Stride) windows.Add(place);
        Assert.That(windows, Has.Count.EqualTo(g.OutHeight), "a window per output");
        // What tapShift of native/kernels/conv/wgmma_patch.h adds.
        var shift = g.TapH < 0 ? (1 - g.WindowHeight) * g.TapH : 0;
        for (var p = 0; p < g.OutHeight; p++)
        for (var r = 0; r < g.WindowHeight; r++)
        {
            Assert.That(shift + r * g.TapH, Is.InRange(0, box.Reach), "what the engine adds");
            Assert.That(windows[p] + shift + r * g.TapH, Is.EqualTo(p * g.StrideH + g.OriginH + r * g.TapH), $"output {p}, tap {r}");
        }
    }

    private static ConvolutionProblem Problem(int size, int pad, int stride, int dilation, int window) => new()
    {
        N = 1, C = 8, H = size, W = size, K = 8, R = window, S = window, Groups = 1, StrideH = stride, StrideW = stride, DilationH = dilation, DilationW = dilation,
        PadTop = pad, PadBottom = pad, PadLeft = pad, PadRight = pad,
    };
}
