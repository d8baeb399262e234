using CnnNative.Engines;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>What the kernels for few filters execute and move: instructions to a multiply-add, bytes over the least, conflicts over banks.</summary>
public sealed class DirectTrafficTests : CounterTests
{
    /// <summary>Groups of eight filters and four channels: 288 multiply-adds to a pixel, against which staging counts.</summary>
    [TestCase(DType.Float32, Layout.Nchw)]
    [TestCase(DType.Float32, Layout.Nhwc)]
    [TestCase(DType.BFloat16, Layout.Nchw)]
    [TestCase(DType.Float16, Layout.Nhwc)]
    public void AMultiplyAddTakesFewInstructionsAndNoConflict(DType type, Layout layout)
    {
        var problem = ConvolutionShapes.Problem(17, 32, 28, 28, 64, 3, 3, pad: 1, groups: 8);
        using var scope = Device.Inference();
        var side = new Side(Device, type);
        var engine = Device.Engine.Convolution;
        Tensor x = side.Of(Random(problem.InputShape.Count, 1), problem.InputShape, layout), w = side.Of(Random(problem.WeightShape.Count, 2), problem.WeightShape);
        Tensor y = side.Empty(problem.OutputShape, layout), dw = side.Empty(problem.WeightShape);
        Cuda.Synchronize();
        Emulator.ResetProfile(ofBlocks: true);
        engine.Forward(problem, x, w, null, ActivationKind.Identity, y);
        engine.BackwardWeight(problem, x, y, dw);
        Cuda.Synchronize();
        Check("conv_direct_8", mostInstructions: 4.1);
        Check("conv_direct_wgrad_8", mostInstructions: 7.8);

        void Check(string kernel, double mostInstructions)
        {
            var counters = Emulator.Profile(kernel + Suffix(type));
            var instructions = 32.0 * counters.WarpInstructions / problem.MultiplyAdds;
            var conflicts = (double)(counters.SharedLoadWavefronts + counters.SharedStoreWavefronts) / counters.SharedIdealWavefronts;
            var moved = (double)((counters.GlobalLoadBlockSectors + counters.GlobalStoreBlockSectors) * Sector) / ((problem.InputShape.Count + problem.OutputShape.Count) * type.Size());
            TestContext.Out.WriteLine($"{kernel}: {instructions:F2} instructions to a multiply-add, {conflicts:F2} wavefronts for one, {moved:F2} of the bytes");
            Assert.That(instructions, Is.InRange(1.0, mostInstructions), $"{kernel}: instructions to a multiply-add");
            Assert.That(conflicts, Is.LessThanOrEqualTo(1.25), $"{kernel}: wavefronts for one without conflicts");
        }
    }
}
