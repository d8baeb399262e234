using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.TestKit;
using CnnNative.Tests.Functions;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>Convolution in bfloat16, float16 and tf32 against the definition in double on the rounded inputs.</summary>
public sealed class MatrixUnitConvolutionTests : ConvolutionRunTests
{
    /// <summary>Shapes whose channels come in units of 16 bytes in every type.</summary>
    private static IEnumerable<ConvolutionProblem> InUnits()
    {
        yield return ConvolutionShapes.Problem(2, 8, 9, 11, 16, 3, 3, pad: 1);
        yield return ConvolutionShapes.Problem(1, 16, 9, 8, 32, 3, 2, pad: 2, stride: 2, dilation: 2, groups: 2);
        yield return ConvolutionShapes.Problem(1, 72, 9, 9, 136, 1, 1);
        yield return ConvolutionShapes.Problem(1, 136, 3, 3, 24, 3, 3, pad: 1);
        yield return ConvolutionShapes.Problem(2, 8, 8, 8, 8, 3, 3, pad: 1);
        yield return ConvolutionShapes.Problem(2, 8, 7, 6, 8, 3, 3, pad: 2, stride: 2) with { PaddingMode = PaddingMode.Reflect };
        yield return ConvolutionShapes.Problem(0, 8, 5, 5, 8, 3, 3);
    }

    /// <summary>Slices of 64 channels: tails of channels, filters and pixels, several groups, phases of strides with and without taps, dilation.</summary>
    private static IEnumerable<ConvolutionProblem> InSlices() =>
    [
        ConvolutionShapes.Problem(1, 72, 5, 6, 72, 3, 3, pad: 1), ConvolutionShapes.Problem(2, 128, 6, 5, 128, 3, 2, pad: 1, stride: 2, groups: 2),
        ConvolutionShapes.Problem(1, 64, 9, 9, 136, 3, 3, pad: 2, stride: 2, dilation: 2), ConvolutionShapes.Problem(2, 64, 6, 6, 64, 1, 1, stride: 2),
        ConvolutionShapes.Problem(1, 328, 4, 4, 264, 3, 1, pad: 1),
    ];

    /// <summary>What the engine computes in fp32 it computes in halves.</summary>
    [TestCaseSource(typeof(NativeConvolutionShapes), nameof(NativeConvolutionShapes.Problems))]
    public void Halves_take_every_shape(ConvolutionProblem problem)
    {
        using var kernels = WgmmaSwitch.To(wgmma: false, Device);
        HalvesAgree(problem, DType.BFloat16, Layout.Nchw);
        HalvesAgree(problem, DType.Float16, Layout.Nhwc);
        if (!Switches.Full) return;
        HalvesAgree(problem, DType.BFloat16, Layout.Nhwc);
        HalvesAgree(problem, DType.Float16, Layout.Nchw);
    }

    [Test]
    public void Halves_in_whole_units([Values(DType.BFloat16, DType.Float16)] DType type, [ValueSource(nameof(InUnits))] ConvolutionProblem problem, [Values] Layout layout, [Values] bool wgmma)
    {
        using var kernels = WgmmaSwitch.To(wgmma, Device);
        HalvesAgree(problem, type, layout);
    }

    [Test]
    public void Halves_in_slices([Values(DType.BFloat16, DType.Float16)] DType type, [ValueSource(nameof(InSlices))] ConvolutionProblem problem, [Values] Layout layout)
    {
        using var kernels = WgmmaSwitch.To(wgmma: true, Device);
        HalvesAgree(problem, type, layout);
    }

    /// <summary>Whatever has up to 16 filters to a group, in each pass.</summary>
    [TestCaseSource(nameof(FewFilters))]
    public void Halves_directly(ConvolutionProblem problem)
    {
        HalvesAgree(problem, DType.BFloat16, Layout.Nchw, ConvolutionAlgorithm.Direct);
        HalvesAgree(problem, DType.Float16, Layout.Nhwc, ConvolutionAlgorithm.Direct);
        if (!Switches.Full) return;
        HalvesAgree(problem, DType.BFloat16, Layout.Nhwc, ConvolutionAlgorithm.Direct);
        HalvesAgree(problem, DType.Float16, Layout.Nchw, ConvolutionAlgorithm.Direct);
    }

    /// <summary>Words, pairs and steps that are filled up carry no NaN to sums that do not see it, and make none of an infinity.</summary>
    [Test]
    public void NaN_and_infinity_reach_only_the_sums_that_see_them([Values] Layout layout, [Values(DType.BFloat16, DType.Float16)] DType type)
    {
        var sample = Rounded(ConvolutionCase.Random(ConvolutionShapes.Problem(3, 3, 7, 7, 2, 3, 3), new Random(26), bias: true), type);
        // Infinities where what is filled up would be read; NaN in the last image and channel, which have no second, in a corner that one window sees.
        (sample.X[0], sample.X[^1]) = (float.PositiveInfinity, float.NaN);
        (sample.Dy[0], sample.Dy[^1]) = (float.PositiveInfinity, float.NaN);
        var found = Forced(ConvolutionAlgorithm.Direct, () => Run(sample, layout, Layout.Nchw, layout, type));
        for (var i = 0; i < found.Y.Length; i++) Check(found.Y[i], i / 50 == 2 && i % 25 == 24, i / 50 == 0 && i % 25 == 0, $"y {i}");
        for (var i = 0; i < found.Dx.Length; i++) Check(found.Dx[i], i / 147 == 2 && i % 49 / 7 >= 4 && i % 7 >= 4, i / 147 == 0 && i % 49 / 7 <= 2 && i % 7 <= 2, $"dx {i}");
        for (var i = 0; i < found.Dw.Length; i++) Check(found.Dw[i], i >= 26, i < 26, $"dw {i}");

        static void Check(float value, bool isNaN, bool isInfinite, string what) =>
            Assert.That((float.IsNaN(value), float.IsInfinity(value)), Is.EqualTo((isNaN, isInfinite)), what);
    }

    /// <summary>The explicit way: columns are halves too.</summary>
    [TestCaseSource(nameof(OneGroup))]
    public void Halves_in_columns(ConvolutionProblem problem)
    {
        foreach (var layout in Enum.GetValues<Layout>())
        {
            HalvesAgree(problem, layout == Layout.Nchw ? DType.BFloat16 : DType.Float16, layout, ConvolutionAlgorithm.Columns);
            if (Switches.Full) HalvesAgree(problem, layout == Layout.Nchw ? DType.Float16 : DType.BFloat16, layout, ConvolutionAlgorithm.Columns);
        }
    }

    /// <summary>Filters of ones: columns are numbers of dy, nothing is rounded but their sum, whose 25 integers are exact in float.</summary>
    [Test]
    public void Columns_are_summed_in_float([Values(DType.BFloat16, DType.Float16)] DType type, [Values] Layout layout)
    {
        var (random, most) = (new Random(25), type == DType.Float16 ? 2047 : 255);
        var sample = ConvolutionCase.Random(ConvolutionShapes.Problem(1, 1, 9, 9, 1, 5, 5, pad: 2), random, bias: false);
        Array.Fill(sample.W, 1f);
        for (var i = 0; i < sample.Dy.Length; i++) sample.Dy[i] = random.Next(-most, most + 1);
        var dx = Forced(ConvolutionAlgorithm.Columns, () => Run(sample, layout, type)).Dx;
        Assert.That(dx, Is.EqualTo(sample.InDouble().Dx.Select(sum => Side.Round((float)sum, type))));
    }

    [Test]
    public void Halves_as_products_of_matrices(
        [Values(DType.BFloat16, DType.Float16)] DType type, [Values] Layout layout, [ValueSource(nameof(Pointwise))] ConvolutionProblem problem, [Values] bool wgmma)
    {
        using var kernels = WgmmaSwitch.To(wgmma, Device);
        HalvesAgree(problem, type, layout, ConvolutionAlgorithm.Pointwise);
    }

    /// <summary>Units and tails, one image and several, sums split and not.</summary>
    private static IEnumerable<ConvolutionProblem> Pointwise() =>
    [
        ConvolutionShapes.Problem(2, 20, 7, 11, 19, 1, 1), ConvolutionShapes.Problem(3, 16, 8, 8, 24, 1, 1), ConvolutionShapes.Problem(1, 8, 24, 24, 136, 1, 1),
        ConvolutionShapes.Problem(1, 136, 3, 3, 24, 1, 1), ConvolutionShapes.Problem(0, 8, 5, 5, 8, 1, 1),
    ];

    private static IEnumerable<TestCaseData> FewFilters() =>
        NativeConvolutionShapes.Problems().Concat(Direct().Select(problem => new TestCaseData(problem))).Where(data => data.Arguments[0] is ConvolutionProblem problem
            && Enum.GetValues<ConvolutionPass>().All(pass => ConvolutionPlan.Supports(ConvolutionAlgorithm.Direct, problem, pass, DType.BFloat16, Layout.Nchw, Layout.Nchw)));

    /// <summary>Odd and even channels, images and rows; several tiles, chunks of channels, blocks of taps.</summary>
    private static IEnumerable<ConvolutionProblem> Direct() =>
    [
        ConvolutionShapes.Problem(5, 6, 14, 14, 16, 5, 5), ConvolutionShapes.Problem(3, 1, 28, 28, 6, 5, 5, pad: 2), ConvolutionShapes.Problem(2, 16, 30, 70, 9, 3, 3, pad: 1),
        ConvolutionShapes.Problem(1, 12, 40, 41, 16, 5, 5, pad: 2), ConvolutionShapes.Problem(4, 16, 11, 13, 16, 7, 7, pad: 3, stride: 2),
        ConvolutionShapes.Problem(3, 12, 9, 10, 24, 3, 3, pad: 2, dilation: 2, groups: 3), ConvolutionShapes.Problem(9, 3, 2, 3, 3, 1, 1),
        ConvolutionShapes.Problem(2, 5, 12, 10, 7, 2, 2, stride: 3), ConvolutionShapes.Problem(2, 5, 8, 9, 3, 3, 3, pad: 2) with { PaddingMode = PaddingMode.Circular },
    ];

    private static IEnumerable<TestCaseData> OneGroup() =>
        NativeConvolutionShapes.Problems().Where(data => data.Arguments[0] is ConvolutionProblem { Groups: 1 });

    private void HalvesAgree(in ConvolutionProblem problem, DType type, Layout layout, ConvolutionAlgorithm? algorithm = null)
    {
        var sample = Rounded(ConvolutionCase.Random(problem, new Random(21), bias: true), type);
        var (naive, exact) = (sample.InFloat(), sample.InDouble());
        var found = Forced(algorithm, () => Run(sample, layout, Layout.Nchw, layout, type));
        // Sums are in float, results rounded once; padding that shows pixels sums gradients that are rounded already.
        CheckRounded(found.Y, exact.Y, naive.Y, $"y in {layout}", type, 1);
        CheckRounded(
            found.Dx, exact.Dx, naive.Dx, $"dx in {layout}", type, problem.PaddingMode == PaddingMode.Zeros ? 1 : 4,
            algorithm == ConvolutionAlgorithm.Columns ? ColumnsOfPixel(sample) : 0);
        CheckRounded(found.Dw, exact.Dw, naive.Dw, $"dw in {layout}", type, 1);
    }

    /// <summary>
    /// Numbers of columns, all rounded, that are summed into one pixel of dx: the largest sum of their magnitudes. The numbers of a tap
    /// are the gradient of the convolution by that tap alone.
    /// </summary>
    private static double ColumnsOfPixel(ConvolutionCase sample)
    {
        var p = sample.Problem;
        var taps = p.R * p.S;
        var sums = new double[p.InputShape.Count];
        for (var tap = 0; tap < taps; tap++)
        {
            int down = tap / p.S * p.DilationH, right = tap % p.S * p.DilationW;
            var alone = p with
            {
                R = 1, S = 1, PadTop = p.PadTop - down, PadLeft = p.PadLeft - right,
                PadBottom = p.PadBottom - ((p.R - 1) * p.DilationH - down), PadRight = p.PadRight - ((p.S - 1) * p.DilationW - right),
            };
            var column = NaiveConvolution.BackwardData(alone, Cast.Double(sample.Dy), [.. Cast.Double(sample.W).Where((_, i) => i % taps == tap)]);
            for (var i = 0; i < sums.Length; i++) sums[i] += Math.Abs(column[i]);
        }

        return sums.DefaultIfEmpty(0).Max();
    }

    /// <summary>
    /// Every number is off by no more than half the distance of its neighbours, so many times, and by what sums in float are. What it
    /// is a sum of may be rounded before: <paramref name="terms"/> is the sum of their magnitudes.
    /// </summary>
    private static void CheckRounded(float[] actual, double[] exact, float[] naive, string what, DType type, int roundings, double terms = 0)
    {
        var summing = naive.Zip(exact, (a, e) => Math.Abs(a - e)).DefaultIfEmpty(0).Max() + Agreement.Epsilon(DType.Float32);
        var largest = exact.Select(Math.Abs).DefaultIfEmpty(0).Max();
        Agreement.Within(actual, exact, roundings * Agreement.Epsilon(type) / 2 * (largest + terms) + 4 * summing, what);
    }

    [TestCaseSource(nameof(InUnits))]
    public void Tf32_rounds_operands_and_nothing_else(ConvolutionProblem problem)
    {
        var sample = Rounded(ConvolutionCase.Random(problem, new Random(22), bias: true), DType.Float16);
        var (naive, exact) = (sample.InFloat(), sample.InDouble());
        Cuda.AllowTf32 = true;
        try
        {
            // Numbers of ten bits of mantissa lose nothing: what is left is the error of summing in float.
            var found = Run(sample, Layout.Nhwc, Layout.Nchw, Layout.Nhwc);
            CheckRounded(found.Y, exact.Y, naive.Y, "y", DType.Float32, Cuts(problem.C / problem.Groups * problem.R * problem.S));
            CheckRounded(found.Dx, exact.Dx, naive.Dx, "dx", DType.Float32, Cuts(problem.K / problem.Groups * problem.R * problem.S));
            CheckRounded(found.Dw, exact.Dw, naive.Dw, "dw", DType.Float32, Cuts(problem.N * problem.P * problem.Q));
        }
        finally
        {
            Cuda.AllowTf32 = false;
        }
    }

    /// <summary>
    /// Matrix units may cut off where they should round: for every eight numbers of the depth the sum, and the products that are
    /// aligned to it; two distances together, in halves. Rounding to ten bits would be a thousand times as much.
    /// </summary>
    private static int Cuts(int depth) => 4 * ((depth + 7) / 8);

    [Test]
    public void Tf32_is_used_when_it_is_asked_for_and_not_before()
    {
        var problem = ConvolutionShapes.Problem(1, 8, 5, 5, 12, 3, 3);
        var sample = ConvolutionCase.Random(problem, new Random(23), bias: false);
        var exact = sample.InDouble().Y;
        var plain = Error(Run(sample, Layout.Nhwc, Layout.Nchw, Layout.Nhwc).Y, exact);
        Cuda.AllowTf32 = true;
        var rounded = Error(Run(sample, Layout.Nhwc, Layout.Nchw, Layout.Nhwc).Y, exact);
        Cuda.AllowTf32 = false;
        Assert.That(plain, Is.LessThan(1e-6));
        Assert.That(rounded, Is.InRange(1e-5, 1e-3), "rounding to ten bits must show");
    }

    [Test]
    public void Every_run_gives_the_same_bits([Values(DType.BFloat16, DType.Float16)] DType type, [Values] bool wgmma)
    {
        using var kernels = WgmmaSwitch.To(wgmma, Device);
        var sample = Rounded(ConvolutionCase.Random(ConvolutionShapes.Problem(1, 136, 3, 3, 24, 3, 3, pad: 1), new Random(24), bias: true), type);
        Assert.That(Run(sample, Layout.Nhwc, Layout.Nchw, Layout.Nhwc, type).SameBits(Run(sample, Layout.Nhwc, Layout.Nchw, Layout.Nhwc, type)));
    }

    private static double Error(float[] actual, double[] exact) =>
        Math.Sqrt(actual.Zip(exact, (a, e) => (a - e) * (a - e)).Sum() / exact.Sum(e => e * e));
}
