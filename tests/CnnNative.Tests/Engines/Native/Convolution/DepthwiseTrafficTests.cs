using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Interop;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>
/// What the emulator counts of depthwise convolutions in the shapes of well-known networks, with few images, divided for one
/// multiprocessor: distinct sectors of every block, added up, are little more than the images and the filters themselves. An ordinary
/// run takes some of the channels.
/// </summary>
public sealed class DepthwiseTrafficTests : NativeTests
{
    /// <summary>What blocks may move, in parts of x, y and the filter once. Gradients by the input leave out pixels that no window sees.</summary>
    private const double LeastTraffic = 0.95, MostTraffic = 1.15;

    /// <summary>
    /// Wavefronts of shared memory in NCHW, for one without conflicts: rows stand there as they stand in memory, and where they are narrower than
    /// a warp its lanes work in several. Floats of a warp fill all banks, so that two rows can hardly miss each other.
    /// </summary>
    private const double MostWavefrontsOfHalves = 1.25, MostWavefrontsOfFloats = 2;

    [OneTimeSetUp]
    public void RequireEmulator()
    {
        if (!Emulator.IsUsed) Assert.Ignore("counters are those of the emulated driver");
    }

    private static IEnumerable<TestCaseData> Shapes()
    {
        if (Switches.Full) yield return Shape("MobileNet 3x3, 32 at 112", 1, 32, 112, 3, 1);
        yield return Shape("MobileNet 3x3, 64 at 112, stride 2", 1, 64, 112, 3, 2);
        yield return Shape("MobileNet 3x3, 128 at 56", 1, 128, 56, 3, 1);
        yield return Shape("MobileNet 3x3, 256 at 28", 1, 256, 28, 3, 1);
        yield return Shape("MobileNet 3x3, 512 at 14", 2, 512, 14, 3, 1);
        yield return Shape("MobileNet 3x3, 1024 at 7", 4, 1024, 7, 3, 1);
        if (Switches.Full) yield return Shape("MobileNetV2 3x3, 144 at 56", 1, 144, 56, 3, 1);
        yield return Shape("5x5, 480 at 14", 2, 480, 14, 5, 1);
        yield return Shape("7x7, 96 at 56", 1, 96, 56, 7, 1);

        static TestCaseData Shape(string name, int images, int channels, int size, int window, int stride)
        {
            var some = Switches.Full ? channels : Math.Min(channels, size >= 56 ? 16 : 64);
            return new TestCaseData(ConvolutionShapes.Problem(images, some, size, size, some, window, window, window / 2, stride, groups: some)).SetArgDisplayNames(name);
        }
    }

    [TestCaseSource(nameof(Shapes))]
    public void Bytes_are_moved_once(ConvolutionProblem problem)
    {
        foreach (var layout in Enum.GetValues<Layout>())
        {
            Check(problem, layout, DType.BFloat16);
            if (Switches.Full) Check(problem, layout, DType.Float32);
        }
    }

    private void Check(in ConvolutionProblem problem, Layout layout, DType type)
    {
        using var scope = Cuda.Inference();
        var side = new Side(Cuda, type);
        Tensor x = Ones(side, problem.InputShape, layout), w = Ones(side, problem.WeightShape, layout), dy = Ones(side, problem.OutputShape, layout);
        Tensor y = side.Empty(problem.OutputShape, layout), dx = side.Empty(problem.InputShape, layout), dw = side.Empty(problem.WeightShape, layout);
        var convolution = new DepthwiseConvolution(((NativeEngine)Cuda.Engine).Context, multiprocessors: 1);
        using DeviceView xView = x.OnDevice(), wView = w.OnDevice(), dyView = dy.OnDevice(), yView = y.OnDevice(), dxView = dx.OnDevice(), dwView = dw.OnDevice();
        Placed image = new(xView, layout), filter = new(wView, layout), gradient = new(dyView, layout), result = new(yView, layout);
        Placed imageGradient = new(dxView, layout), filterGradient = new(dwView, layout);
        var floor = (problem.InputShape.Count + problem.OutputShape.Count + problem.WeightShape.Count) * type.Size();
        var window = $"{(layout == Layout.Nhwc ? "nhwc" : "nchw")}_{problem.R}x{problem.S}_{(type == DType.Float32 ? "f32" : "bf16")}";
        var p = problem;
        Measure("depthwise", () => convolution.Forward(p, type, image, filter, default, Epilogues.None, result));
        Measure(p.StrideH == 1 ? "depthwise" : "depthwise_dgrad", () => convolution.BackwardData(p, type, gradient, filter, imageGradient));
        Measure("depthwise_wgrad", () => convolution.BackwardWeight(p, type, image, gradient, filterGradient.Pointer));

        void Measure(string pass, Action run)
        {
            EmulatedCounters.Reset(ofBlocks: true);
            run();
            Cuda.Synchronize();
            var kernel = $"{pass}_{window}";
            var counters = EmulatedCounters.Of(kernel);
            var moved = (counters.GlobalLoadBlockSectors + counters.GlobalStoreBlockSectors) * 32.0 / floor;
            var conflicts = (double)(counters.SharedLoadWavefronts + counters.SharedStoreWavefronts) / counters.SharedIdealWavefronts;
            TestContext.Out.WriteLine($"{kernel}: {moved:F3} of the floor, {conflicts:F2} wavefronts for one, widest access {counters.WidestGlobalAccess}");
            Assert.That(moved, Is.InRange(LeastTraffic, MostTraffic), $"{kernel}: bytes moved, in parts of the floor");
            Assert.That(counters.WidestGlobalAccess, Is.EqualTo(16), $"{kernel}: widest access");
            if (layout == Layout.Nhwc) Assert.That(counters.MaxSharedConflict, Is.EqualTo(1), $"{kernel}: ways of the worst bank conflict");
            else Assert.That(conflicts, Is.LessThan(type == DType.Float32 ? MostWavefrontsOfFloats : MostWavefrontsOfHalves), $"{kernel}: wavefronts for one");
        }
    }

    private static Tensor Ones(Side side, Shape shape, Layout layout) => side.Of(Array.ConvertAll(new float[shape.Count], _ => 1f), shape, layout);
}
