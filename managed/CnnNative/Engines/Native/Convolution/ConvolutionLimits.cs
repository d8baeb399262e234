namespace CnnNative.Engines.Native;

/// <summary>What kernels count in 32 bits must fit; beyond it they refuse.</summary>
internal static class ConvolutionLimits
{
    /// <summary>Tiles reach beyond the last pixel, and their indices must not overflow.</summary>
    private const long Most = int.MaxValue - 4096;

    /// <summary>Refuses data types and sizes that the kernels do not have.</summary>
    public static void Check(in ConvolutionProblem problem, Tensor first, Tensor second, Tensor result)
    {
        if (first.DType is not (DType.Float32 or DType.BFloat16 or DType.Float16)) throw new EngineNotSupportedException("Native", "Conv2d", $"data type {first.DType}");
        Require.DType("Conv2d", nameof(second), second, first.DType);
        Require.DType("Conv2d", nameof(result), result, first.DType);
        CheckImage(problem);
        if ((long)problem.N * problem.P * problem.Q > Most) Refuse(problem, $"{(long)problem.N * problem.P * problem.Q} output pixels");
        if (problem.WeightShape.Count > Most) Refuse(problem, $"{problem.WeightShape.Count} weights");
    }

    /// <summary>Refuses images whose offsets do not fit.</summary>
    public static void CheckImage(in ConvolutionProblem problem)
    {
        var image = Math.Max((long)problem.C * problem.H * problem.W, (long)problem.K * problem.P * problem.Q);
        if (image > Most) Refuse(problem, $"{image} elements of one image");
        if ((long)problem.N * problem.H * problem.W > Most) Refuse(problem, $"{(long)problem.N * problem.H * problem.W} pixels");
    }

    private static void Refuse(in ConvolutionProblem problem, string what) =>
        throw new EngineNotSupportedException("Native", "Conv2d", $"{what}, more than {Most}: {problem}");
}
