using CnnNative.Engines;
using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>Which algorithm computes what.</summary>
[TestFixture]
internal sealed class ConvolutionPlanTests
{
    [Test]
    public void As_many_groups_as_channels_go_channel_by_channel([Values] ConvolutionPass pass, [Values] Layout layout, [Values(3, 4, 5)] int width) =>
        Assert.That(Choose(Problem(64, 3, width, groups: 64), pass, layout), Is.EqualTo(ConvolutionAlgorithm.Depthwise));

    [Test]
    public void Pointwise_in_nhwc_is_one_product_of_matrices([Values] ConvolutionPass pass) =>
        Assert.That(Choose(Problem(64, 1, 1), pass, Layout.Nhwc), Is.EqualTo(ConvolutionAlgorithm.Pointwise));

    [Test]
    public void Pointwise_in_nchw_is_a_product_per_image_where_images_fill_tiles()
    {
        Assert.That(Choose(Problem(64, 1, 1, size: 56), ConvolutionPass.Forward, Layout.Nchw), Is.EqualTo(ConvolutionAlgorithm.Pointwise));
        Assert.That(Choose(Problem(512, 1, 1, size: 3, images: 512), ConvolutionPass.Forward, Layout.Nchw), Is.EqualTo(ConvolutionAlgorithm.ImplicitGemm));
    }

    [Test]
    public void Everything_else_is_an_implicit_product([Values] ConvolutionPass pass, [Values] Layout layout, [Values(1, 2)] int groups) =>
        Assert.That(Choose(Problem(64, 3, 3, groups), pass, layout), Is.EqualTo(ConvolutionAlgorithm.ImplicitGemm));

    /// <summary>What a product would do in a tile that is mostly empty.</summary>
    [TestCase(1, 6, 1, ConvolutionPass.Forward, DType.Float32, ConvolutionAlgorithm.Direct)]
    [TestCase(1, 6, 1, ConvolutionPass.BackwardWeight, DType.BFloat16, ConvolutionAlgorithm.Direct)]
    [TestCase(6, 16, 1, ConvolutionPass.Forward, DType.Float32, ConvolutionAlgorithm.Direct)]
    [TestCase(6, 16, 1, ConvolutionPass.BackwardWeight, DType.Float32, ConvolutionAlgorithm.ImplicitGemm)]
    [TestCase(6, 16, 1, ConvolutionPass.Forward, DType.BFloat16, ConvolutionAlgorithm.Direct)]
    [TestCase(6, 16, 1, ConvolutionPass.BackwardWeight, DType.Float16, ConvolutionAlgorithm.Direct)]
    [TestCase(6, 17, 1, ConvolutionPass.Forward, DType.Float16, ConvolutionAlgorithm.ImplicitGemm)]
    [TestCase(6, 17, 1, ConvolutionPass.Forward, DType.Float32, ConvolutionAlgorithm.ImplicitGemm)]
    [TestCase(3, 64, 1, ConvolutionPass.BackwardData, DType.Float32, ConvolutionAlgorithm.Direct)]
    [TestCase(128, 256, 32, ConvolutionPass.Forward, DType.BFloat16, ConvolutionAlgorithm.Direct)]
    [TestCase(256, 8, 1, ConvolutionPass.Forward, DType.BFloat16, ConvolutionAlgorithm.ImplicitGemm)]
    [TestCase(256, 4, 1, ConvolutionPass.Forward, DType.BFloat16, ConvolutionAlgorithm.Direct)]
    [TestCase(6, 16, 1, ConvolutionPass.BackwardData, DType.BFloat16, ConvolutionAlgorithm.Direct)]
    [TestCase(16, 16, 1, ConvolutionPass.Forward, DType.Float16, ConvolutionAlgorithm.Direct)]
    [TestCase(16, 16, 1, ConvolutionPass.BackwardWeight, DType.Float16, ConvolutionAlgorithm.ImplicitGemm)]
    public void Few_filters_are_computed_directly(int channels, int filters, int groups, ConvolutionPass pass, DType type, ConvolutionAlgorithm expected) => Assert.That(
        ConvolutionPlan.Choose(ConvolutionShapes.Problem(64, channels, 28, 28, filters, 3, 3, pad: 1, groups: groups), pass, type, tf32: false, Layout.Nhwc, Layout.Nhwc, 132), Is.EqualTo(expected));

    [Test]
    public void Long_sums_of_few_pixels_are_left_to_a_product_that_can_be_split() =>
        Assert.That(Choose(ConvolutionShapes.Problem(1, 512, 7, 7, 8, 3, 3, pad: 1), ConvolutionPass.Forward, Layout.Nchw), Is.EqualTo(ConvolutionAlgorithm.ImplicitGemm));

    [Test]
    public void Halves_go_channel_by_channel_too([Values] ConvolutionPass pass, [Values] Layout layout, [Values(DType.BFloat16, DType.Float16)] DType type) => Assert.That(
        ConvolutionPlan.Choose(Problem(64, 5, 5, groups: 64), pass, type, tf32: false, layout, layout, 132), Is.EqualTo(ConvolutionAlgorithm.Depthwise));

    [Test]
    public void Tf32_is_an_implicit_product() => Assert.That(
        ConvolutionPlan.Choose(Problem(64, 1, 1), ConvolutionPass.Forward, DType.Float32, tf32: true, Layout.Nhwc, Layout.Nhwc, 132), Is.EqualTo(ConvolutionAlgorithm.ImplicitGemm));

    [Test]
    public void Pointwise_halves_are_products_where_they_are_read_in_units(
        [Values] ConvolutionPass pass, [Values] Layout layout, [Values(DType.BFloat16, DType.Float16)] DType type)
    {
        Assert.That(Choose(Problem(64, 1, 1, size: 56)), Is.EqualTo(ConvolutionAlgorithm.Pointwise));
        Assert.That(Choose(Problem(63, 1, 1, size: 55)), Is.EqualTo(ConvolutionAlgorithm.ImplicitGemm), "neither channels nor pixels in units");

        ConvolutionAlgorithm Choose(in ConvolutionProblem problem) => ConvolutionPlan.Choose(problem, pass, type, tf32: false, layout, layout, 132);
    }

    [Test]
    public void Sums_per_image_are_not_made_where_they_are_more_bytes_than_the_images() => Assert.That(
        ConvolutionPlan.Choose(Problem(2048, 1, 1, size: 8), ConvolutionPass.BackwardWeight, DType.BFloat16, tf32: false, Layout.Nchw, Layout.Nchw, 132),
        Is.EqualTo(ConvolutionAlgorithm.ImplicitGemm));

    private static ConvolutionAlgorithm Choose(in ConvolutionProblem problem, ConvolutionPass pass, Layout layout) =>
        ConvolutionPlan.Choose(problem, pass, DType.Float32, tf32: false, layout, layout, 132);

    private static ConvolutionProblem Problem(int channels, int r, int s, int groups = 1, int size = 28, int images = 32) =>
        ConvolutionShapes.Problem(images, channels, size, size, channels, r, s, groups: groups) with { PadTop = r / 2, PadBottom = r / 2, PadLeft = s / 2, PadRight = s / 2 };
}
