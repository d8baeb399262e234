using CnnNative.Engines;
using CnnNative.Engines.Native;
using CnnNative.Tests.Functions;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>Base of tests that run all passes of a convolution on the native engine, by the algorithm of the plan or by a forced one.</summary>
public abstract class ConvolutionRunTests : NativeTests
{
    private protected NativeConvolution Engine => (NativeConvolution)Device.Engine.Convolution;

    /// <summary>The same with all arrays rounded to a type.</summary>
    private protected static ConvolutionCase Rounded(ConvolutionCase sample, DType type)
    {
        return sample with { X = Round(sample.X), W = Round(sample.W), B = sample.B is null ? null : Round(sample.B), Dy = Round(sample.Dy) };

        float[] Round(float[] numbers) => Array.ConvertAll(numbers, v => Side.Round(v, type));
    }

    private protected Found Forced(ConvolutionAlgorithm? algorithm, Func<Found> run)
    {
        Engine.Forced = algorithm;
        try
        {
            return run();
        }
        finally
        {
            Engine.Forced = null;
        }
    }

    private protected Found Run(ConvolutionCase sample, Layout layout, DType type = DType.Float32, ActivationKind activation = ActivationKind.Identity) =>
        Run(sample, layout, layout, layout, type, activation);

    private protected Found Run(
        ConvolutionCase sample, Layout x, Layout w, Layout y, DType type = DType.Float32, ActivationKind activation = ActivationKind.Identity)
    {
        using var scope = Device.Inference();
        var side = new Side(Device, type);
        var problem = sample.Problem;
        var (images, filters, gradient) = (side.Of(sample.X, problem.InputShape, x), side.Of(sample.W, problem.WeightShape, w), side.Of(sample.Dy, problem.OutputShape, y));
        var (output, dx, dw) = (Unset(problem.OutputShape, y), Unset(problem.InputShape, x), Unset(problem.WeightShape, w));
        Engine.Forward(problem, images, filters, sample.B is null ? null : side.Of(sample.B, [problem.K]), activation, output);
        Engine.BackwardData(problem, gradient, filters, dx);
        Engine.BackwardWeight(problem, images, gradient, dw);
        return new(Side.Read(output), Side.Read(dx), Side.Read(dw));

        Tensor Unset(Shape shape, Layout layout) => side.Of([.. Enumerable.Repeat(float.NaN, (int)shape.Count)], shape, layout);
    }

    private protected sealed record Found(float[] Y, float[] Dx, float[] Dw)
    {
        public bool SameBits(Found other) => Bits(Y).SequenceEqual(Bits(other.Y)) && Bits(Dx).SequenceEqual(Bits(other.Dx)) && Bits(Dw).SequenceEqual(Bits(other.Dw));

        private static IEnumerable<int> Bits(float[] numbers) => numbers.Select(BitConverter.SingleToInt32Bits);
    }
}
