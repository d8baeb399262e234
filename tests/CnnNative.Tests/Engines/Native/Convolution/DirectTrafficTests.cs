using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>What the kernels for few filters execute and move: instructions to a multiply-add, bytes over the least, conflicts over banks.</summary>
public sealed class DirectTrafficTests : CounterTests
{
    /// <summary>Groups of eight filters and four channels: 288 multiply-adds to a pixel, against which staging counts.</summary>
    [TestCase(DType.Float32, Layout.Nchw, 4.1, 7.8, 1.25)]
    [TestCase(DType.Float32, Layout.Nhwc, 4.1, 7.8, 1.25)]
    [TestCase(DType.BFloat16, Layout.Nchw, 3.0, 3.2, 1.2)]
    [TestCase(DType.Float16, Layout.Nhwc, 3.0, 3.2, 1.2)]
    public void AMultiplyAddTakesFewInstructionsAndFewConflicts(DType type, Layout layout, double forward, double wgrad, double mostConflicts)
    {
        var problem = ConvolutionShapes.Problem(17, 32, 28, 28, 64, 3, 3, pad: 1, groups: 8);
        using var scope = Device.Inference();
        var side = new Side(Device, type);
        var engine = Device.Engine.Convolution;
        Tensor x = side.Of(Random(problem.InputShape.Count, 1), problem.InputShape, layout), w = side.Of(Random(problem.WeightShape.Count, 2), problem.WeightShape);
        Tensor y = side.Empty(problem.OutputShape, layout), dw = side.Empty(problem.WeightShape);
        Cuda.Synchronize();
        EmulatedCounters.Reset(ofBlocks: true);
        engine.Forward(problem, x, w, null, ActivationKind.Identity, y);
        engine.BackwardWeight(problem, x, y, dw);
        Cuda.Synchronize();
        var (of, ofGradient) = Plans(problem, type, layout, Cuda.Info.Multiprocessors);
        long images = Bytes(problem.N * problem.P * problem.Q, 8), filters = (long)of.Blocks * 8 * 4 * 9 * type.Size();
        Check(type == DType.Float32 ? "conv_direct_8" : "mma_conv_direct", forward, Seen(of.Tile) + images + filters);
        Check(type == DType.Float32 ? "conv_direct_wgrad_8" : "mma_conv_direct_wgrad", wgrad, Seen(ofGradient.Tile) + images + (long)ofGradient.Blocks * 8 * 4 * 9 * sizeof(float));

        // Rows of x, of which tiles below each other share two.
        long Seen(in DirectTile tile) => Bytes(problem.N * (problem.H + ((problem.P - 1) / tile.Rows * 2)) * problem.W, 4);

        // Of all groups: sectors as a whole, where a pixel has few of its channels side by side.
        long Bytes(int pixels, int channels) => (long)pixels * problem.Groups * (layout == Layout.Nhwc ? Math.Max(channels * type.Size(), Sector) : channels * type.Size());

        void Check(string kernel, double mostInstructions, long mostMoved)
        {
            var counters = EmulatedCounters.Of(kernel + Suffix(type));
            var instructions = 32.0 * counters.WarpInstructions / problem.MultiplyAdds;
            var conflicts = (double)(counters.SharedLoadWavefronts + counters.SharedStoreWavefronts) / counters.SharedIdealWavefronts;
            var moved = (double)((counters.GlobalLoadBlockSectors + counters.GlobalStoreBlockSectors) * Sector) / mostMoved;
            TestContext.Out.WriteLine($"{kernel}: {instructions:F2} instructions to a multiply-add, {conflicts:F2} wavefronts for one, {moved:F2} of the bytes that tiles see and write");
            Assert.That(instructions, Is.InRange(0.1, mostInstructions), $"{kernel}: instructions to a multiply-add");
            Assert.That(conflicts, Is.LessThanOrEqualTo(mostConflicts), $"{kernel}: wavefronts for one without conflicts");
            Assert.That(moved, Is.InRange(0.9, 1.1), $"{kernel}: bytes over those that tiles see and write");
        }
    }

    private static ((DirectTile Tile, long Blocks) Forward, (DirectTile Tile, long Blocks) Gradient) Plans(
        in ConvolutionProblem problem, DType type, Layout layout, int multiprocessors)
    {
        var geometry = ConvGeometry.Forward(problem, layout, layout);
        if (type == DType.Float32)
        {
            var (forward, gradient) = (DirectPlan.Forward(geometry, problem.Groups, multiprocessors)!.Value, DirectPlan.BackwardWeight(geometry, problem.Groups, multiprocessors)!.Value);
            return ((forward.Tile, forward.Launch.Grid.Count), (gradient.Tile, gradient.Launch.Grid.Count));
        }

        var (halves, gradientOfHalves) = (MmaDirectPlan.Forward(geometry, problem.Groups, multiprocessors)!.Value, MmaDirectPlan.BackwardWeight(geometry, problem.Groups, multiprocessors)!.Value);
        return ((halves.Tile, halves.Launch.Grid.Count), (gradientOfHalves.Tile, gradientOfHalves.Launch.Grid.Count));
    }
}
