using CnnNative.Engines;
using CnnNative.Engines.Cpu;
using CnnNative.Tests.Functions;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Convolution in Winograd tiles: which problems take it, its error, and how far an input that is not finite spreads.</summary>
public sealed class WinogradTests
{
    private static ConvolutionProblem Dense => new()
    {
        N = 2, C = 64, H = 14, W = 15, K = 64, R = 3, S = 3, PadTop = 1, PadBottom = 1, PadLeft = 1, PadRight = 1,
        StrideH = 1, StrideW = 1, DilationH = 1, DilationW = 1, Groups = 1,
    };

    private static IEnumerable<TestCaseData> Others()
    {
        yield return Case("a row of taps", Dense with { R = 1 });
        yield return Case("a column of taps", Dense with { S = 1 });
        yield return Case("a stride down", Dense with { StrideH = 2 });
        yield return Case("a stride across", Dense with { StrideW = 2 });
        yield return Case("dilation down", Dense with { DilationH = 2 });
        yield return Case("dilation across", Dense with { DilationW = 2 });
        yield return Case("groups", Dense with { Groups = 2 });
        yield return Case("few channels", Dense with { C = 15 });
        yield return Case("few filters", Dense with { K = 15 });
        yield return Case("few tiles", Dense with { N = 1 });
        yield return Case("no images", Dense with { N = 0 });

        static TestCaseData Case(string name, ConvolutionProblem problem) => new TestCaseData(problem).SetArgDisplayNames(name);
    }

    [Test]
    public void ServesDenseProblemsOfManyTiles()
    {
        Assert.That(WinogradTiles.Serve(Dense));
        Assert.That(WinogradConvolution.ServesDataGradient(Dense));
        Assert.That(WinogradTiles.Serve(Dense with { C = 16, K = 16 }));
        Assert.That(WinogradConvolution.ServesDataGradient(Dense with { PadLeft = 3 }), Is.False, "dy would need negative padding");
    }

    [TestCaseSource(nameof(Others))]
    public void LeavesOtherProblemsAlone(ConvolutionProblem problem) => Assert.That(WinogradTiles.Serve(problem), Is.False);

    [Test]
    public void BlocksCoverAllRowsOfTilesOnce([Values(1, 5, 7, 600)] int images, [Values(16, 512)] int channels)
    {
        var tiles = new WinogradTiles(Dense with { N = images, C = channels, H = 21, W = 6 });
        var next = 0;
        for (var block = 0; block < tiles.Blocks; block++)
        {
            var (first, last) = tiles.Block(block);
            Assert.That(first, Is.EqualTo(next));
            Assert.That(last, Is.GreaterThan(first));
            Assert.That((last - first) * tiles.Columns, Is.LessThanOrEqualTo(tiles.MostTiles));
            next = last;
        }

        Assert.That(next, Is.EqualTo(images * 6));
    }

    /// <summary>In the norm, some eight roundings, where the definition in single precision makes about four.</summary>
    [Test]
    public void ErrorIsBelowAMillionth()
    {
        var sample = ConvolutionCase.Random(Dense, new Random(17), bias: false);
        var (found, exact) = (Run(sample), sample.InDouble());
        Assert.That(RelativeError(found.Y, exact.Y), Is.LessThan(1e-6), "y");
        Assert.That(RelativeError(found.Dx, exact.Dx), Is.LessThan(1e-6), "dx");
        Assert.That(RelativeError(found.Dw, exact.Dw), Is.LessThan(1e-6), "dw");
    }

    [Test]
    public void NaNReachesItsWindowAndStaysInItsTiles()
    {
        var sample = ConvolutionCase.Random(Dense, new Random(18), bias: false);
        // Pixel (5, 6) of the first image, which the tiles of outputs 4 to 7 alone see.
        sample.X[5 * Dense.W + 6] = float.NaN;
        var y = Run(sample).Y;
        for (var i = 0; i < Dense.N * Dense.P * Dense.Q; i++)
        {
            int n = i / (Dense.P * Dense.Q), p = i / Dense.Q % Dense.P, q = i % Dense.Q;
            var isNaN = float.IsNaN(y[n * Dense.K * Dense.P * Dense.Q + i % (Dense.P * Dense.Q)]);
            if (n == 0 && p is >= 4 and <= 6 && q is >= 5 and <= 7) Assert.That(isNaN, $"output {n}, {p}, {q} sees the pixel");
            if (n > 0 || p is < 4 or > 7 || q is < 4 or > 7) Assert.That(isNaN, Is.False, $"output {n}, {p}, {q} is of another tile");
        }
    }

    private static double RelativeError(float[] found, double[] exact)
    {
        var error = found.Zip(exact, (a, b) => (a - b) * (a - b)).Sum();
        return Math.Sqrt(error / exact.Sum(value => value * value));
    }

    private static ConvolutionResult<float> Run(ConvolutionCase sample)
    {
        using var device = new CpuDevice(2);
        return sample.On(device, Layout.Nchw);
    }
}
