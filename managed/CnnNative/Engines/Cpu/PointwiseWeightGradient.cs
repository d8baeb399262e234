namespace CnnNative.Engines.Cpu;

/// <summary>
/// The gradient of a 1x1 convolution by its filters: the sum over images of dy (K, pixels) times the transposed x (pixels, C), as
/// matrix products whose depth is the pixels. Only the smaller of the two is transposed, panel by panel; where that is dy, the
/// products give the transposed gradient. As in <see cref="WeightGradient"/>, chunks of images have sums of their own that are
/// added in order.
/// </summary>
internal sealed unsafe class PointwiseWeightGradient
{
    /// <summary>Most chunks of images.</summary>
    private const int MostChunks = 16;

    /// <summary>Most floats in the sums of all chunks.</summary>
    private const long MostPartial = 4 << 20;

    private readonly CpuThreads threads;
    private readonly CpuScratch scratch;
    private readonly int images, groups, channels, filters, pixels, chunks;

    private PointwiseWeightGradient(in ConvolutionProblem problem, CpuThreads threads, CpuScratch scratch)
    {
        this.threads = threads;
        this.scratch = scratch;
        images = problem.N;
        groups = problem.Groups;
        channels = problem.C / problem.Groups;
        filters = problem.K / problem.Groups;
        pixels = problem.H * problem.W;
        chunks = Math.Min(images, (int)Math.Clamp(MostPartial / ((long)problem.K * channels), 1, MostChunks));
    }

    /// <summary>Whether dy, the smaller side, is transposed.</summary>
    private bool TransposesGradient => filters < channels;

    private int Rows => TransposesGradient ? channels : filters;

    private int Columns => TransposesGradient ? filters : channels;

    /// <summary>Computes dw.</summary>
    public static void Run(in ConvolutionProblem problem, float* x, float* dy, float* dw, CpuThreads threads, CpuScratch scratch) =>
        new PointwiseWeightGradient(problem, threads, scratch).Run(x, dy, dw);

    private void Run(float* x, float* dy, float* dw)
    {
        var count = (nint)groups * Rows * Columns;
        if (images == 0)
        {
            new Span<float>(dw, checked((int)count)).Clear();
            return;
        }

        using var lease = scratch.Rent((long)chunks * count);
        var sums = lease.Pointer;
        // Rows are split between threads too where chunks and groups are few.
        var split = GemmSplit.Choose(Rows, Columns, pixels, chunks * groups, threads.Count);
        threads.For((long)chunks * groups * split.Blocks, 1, (first, last) =>
        {
            for (var item = first; item < last; item++)
            {
                int block = (int)(item % split.Blocks), group = (int)(item / split.Blocks % groups), chunk = (int)(item / split.Blocks / groups);
                SumChunk(chunk, group, split.Area(block), x, dy, sums + chunk * count + (nint)group * Rows * Columns);
            }
        });
        threads.For((long)groups * Rows, Math.Max(1, 16384 / Columns), (first, last) => AddChunks(first, last, count, sums, dw));
    }

    /// <summary>The sum over a chunk of images for an area of a group's gradient.</summary>
    private void SumChunk(int chunk, int group, GemmArea area, float* x, float* dy, float* sums)
    {
        int firstImage = (int)((long)images * chunk / chunks), lastImage = (int)((long)images * (chunk + 1) / chunks);
        for (var n = firstImage; n < lastImage; n++)
        {
            var index = (nint)n * groups + group;
            float* image = x + index * channels * pixels, gradient = dy + index * filters * pixels;
            float* a = TransposesGradient ? image : gradient, b = TransposesGradient ? gradient : image;
            GemmBlock.Multiply(
                GemmRows.Strided(a, pixels, 1), new MatrixColumns(b, 1, pixels, inPlace: false), pixels, area, sums, Columns, default, scratch, n > firstImage);
        }
    }

    /// <summary>Adds the chunks of some rows of all groups and brings them to their place in dw.</summary>
    private void AddChunks(long first, long last, nint count, float* sums, float* dw)
    {
        for (var chunk = 1; chunk < chunks; chunk++)
            VectorMap.Run(default(AddMap), sums + first * Columns, sums + chunk * count + first * Columns, sums + first * Columns, (last - first) * Columns);
        for (var row = first; row < last; row++)
        {
            long group = row / Rows, within = row % Rows;
            float* source = sums + row * Columns, target = dw + group * Rows * Columns;
            if (TransposesGradient) CpuTranspose.Copy(1, Columns, source, Columns, target + within, Rows);
            else CpuCopy.Row(source, target + within * Columns, Columns);
        }
    }
}
