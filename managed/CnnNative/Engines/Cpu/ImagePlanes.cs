namespace CnnNative.Engines.Cpu;

/// <summary>
/// Where a padded channel lies in working memory so that every filter tap is a plain distance. A stride is undone by
/// splitting the channel into stride x stride phases: plane (a, b) holds the pixels (a + i * strideH, b + j * strideW).
/// With o = p * Pitch + q for output (p, q), tap (r, s) of every output reads plane[Tap(r, s) + o]: consecutive outputs read
/// consecutive floats, over the ends of rows too, where up to Pitch - Q results in a row mean nothing and are dropped.
/// </summary>
internal readonly struct ImagePlanes
{
    private readonly ConvolutionProblem problem;

    public ImagePlanes(in ConvolutionProblem problem)
    {
        this.problem = problem;
        Rows = (problem.H + problem.PadTop + problem.PadBottom + problem.StrideH - 1) / problem.StrideH;
        Pitch = (problem.W + problem.PadLeft + problem.PadRight + problem.StrideW - 1) / problem.StrideW;
    }

    /// <summary>Rows of a phase.</summary>
    public int Rows { get; }

    /// <summary>Distance of rows of a phase, and of the rows of output.</summary>
    public int Pitch { get; }

    /// <summary>Floats of a channel.</summary>
    public int Length => problem.StrideH * problem.StrideW * Rows * Pitch;

    /// <summary>Floats from the first output to the last, dropped ones included.</summary>
    public int OutputLength => (problem.P - 1) * Pitch + problem.Q;

    /// <summary>Distance of the pixel that tap (r, s) reads for output o from the channel's beginning + o.</summary>
    public int Tap(int r, int s)
    {
        int h = r * problem.DilationH, w = s * problem.DilationW;
        var phase = h % problem.StrideH * problem.StrideW + w % problem.StrideW;
        return (phase * Rows + h / problem.StrideH) * Pitch + w / problem.StrideW;
    }

    /// <summary>Writes a channel of the image (H, W) into its planes, with the padding around it. Phases that no tap reads stay unset.</summary>
    public unsafe void Fill(float* image, float* planes)
    {
        for (var a = 0; a < problem.StrideH; a++)
        {
            if (!IsRead(a, problem.R, problem.DilationH, problem.StrideH)) continue;
            for (var b = 0; b < problem.StrideW; b++)
            {
                if (!IsRead(b, problem.S, problem.DilationW, problem.StrideW)) continue;
                FillPhase(image, a, b, planes + (a * problem.StrideW + b) * Rows * Pitch);
            }
        }
    }

    private static bool IsRead(int phase, int taps, int dilation, int stride)
    {
        for (var r = 0; r < taps; r++)
        {
            if (r * dilation % stride == phase) return true;
        }

        return false;
    }

    /// <summary>Pixels (a + i * strideH, b + j * strideW) of the padded image.</summary>
    private unsafe void FillPhase(float* image, int a, int b, float* plane)
    {
        // Columns left of the image, inside it, and right of it.
        int step = problem.StrideW, first = b - problem.PadLeft;
        var inside = first >= 0 ? 0 : Math.Min(Pitch, (-first + step - 1) / step);
        var after = Math.Clamp((problem.W - first + step - 1) / step, inside, Pitch);
        var isZero = problem.PaddingMode == PaddingMode.Zeros;
        if (isZero) new Span<float>(plane, Rows * Pitch).Clear();
        for (var i = 0; i < Rows; i++)
        {
            var h = PaddingIndex.Source(i * problem.StrideH + a - problem.PadTop, problem.H, problem.PaddingMode);
            var target = plane + i * Pitch;
            if (h < 0)
            {
                if (!isZero) new Span<float>(target, Pitch).Clear();
                continue;
            }

            var row = image + h * problem.W;
            if (step == 1) CpuCopy.Row(row + first + inside, target + inside, after - inside);
            else CpuCopy.Strided(row + first + inside * step, step, target + inside, after - inside);
            if (isZero) continue;
            FillBorder(row, first, 0, inside, target);
            FillBorder(row, first, after, Pitch, target);
        }
    }

    private unsafe void FillBorder(float* row, int first, int from, int to, float* target)
    {
        for (var j = from; j < to; j++)
        {
            var w = PaddingIndex.Source(first + j * problem.StrideW, problem.W, problem.PaddingMode);
            target[j] = w < 0 ? 0f : row[w];
        }
    }
}
