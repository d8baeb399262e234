using System.Runtime.CompilerServices;

namespace CnnNative.Engines.Cpu;

/// <summary>The arithmetic of padding modes along one axis.</summary>
internal static class PaddingIndex
{
    /// <summary>The pixel that stands at an index of the padded axis, counted from the image's first pixel; -1 for zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Source(int index, int size, PaddingMode mode) => (uint)index < (uint)size ? index : Outside(index, size, mode);

    private static int Outside(int index, int size, PaddingMode mode)
    {
        var source = mode switch
        {
            PaddingMode.Reflect => index < 0 ? -index : 2 * (size - 1) - index,
            PaddingMode.Replicate => index < 0 ? 0 : size - 1,
            PaddingMode.Circular => index < 0 ? index + size : index - size,
            _ => -1,
        };
        // Rounding the padded size up to the stride asks for pixels beyond the padding that no window reads.
        return (uint)source < (uint)size ? source : -1;
    }

    /// <summary>Adds the gradient of a padded channel to the pixels that its elements came from.</summary>
    public static unsafe void Fold(in ConvolutionProblem problem, float* padded, float* image)
    {
        int height = problem.H + problem.PadTop + problem.PadBottom, width = problem.W + problem.PadLeft + problem.PadRight;
        new Span<float>(image, problem.H * problem.W).Clear();
        for (var i = 0; i < height; i++)
        {
            var row = image + Source(i - problem.PadTop, problem.H, problem.PaddingMode) * problem.W;
            for (var j = 0; j < width; j++) row[Source(j - problem.PadLeft, problem.W, problem.PaddingMode)] += padded[i * width + j];
        }
    }
}
