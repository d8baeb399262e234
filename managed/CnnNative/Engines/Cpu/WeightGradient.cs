namespace CnnNative.Engines.Cpu;

/// <summary>
/// The gradient of a convolution by its filters: dw[k, tap] = the sum over images and outputs of dy[k] times what the tap
/// read, as dot products over <see cref="ImagePlanes"/> (<see cref="DotTile"/>). dy is spread to the planes' pitch with
/// zeros for the outputs that are none. The images are cut into chunks, each with a sum of its own, and the sums are added
/// in order; the chunks depend on the sizes alone, so that the result does not depend on the number of threads.
/// </summary>
internal sealed unsafe class WeightGradient
{
    /// <summary>Most chunks of images.</summary>
    private const int MostChunks = 16;

    /// <summary>Most floats in the sums of all chunks.</summary>
    private const long MostPartial = 4 << 20;

    /// <summary>Outputs in a dot product, over several small images, that make adding its lanes up cheap.</summary>
    private const int DotLength = 3072;

    private readonly ConvolutionProblem problem;
    private readonly ImagePlanes planes;
    private readonly CpuScratch scratch;
    private readonly nint* taps;
    private readonly int channels, filters, depth, length, chunks, batch;

    private WeightGradient(in ConvolutionProblem problem, CpuScratch scratch, float* tapRoom, in ImagePlanes planes)
    {
        this.problem = problem;
        this.scratch = scratch;
        this.planes = planes;
        channels = problem.C / problem.Groups;
        filters = problem.K / problem.Groups;
        depth = Depth(problem);
        taps = TapList.Forward(problem, planes, tapRoom);
        length = (planes.OutputLength + GemmKernels.Width - 1) / GemmKernels.Width * GemmKernels.Width;
        batch = Math.Min(problem.N, (DotLength + length - 1) / length);
        var most = (int)Math.Clamp(MostPartial / ((long)problem.K * depth), 1, MostChunks);
        chunks = Math.Min(most, (problem.N + batch - 1) / Math.Max(1, batch));
    }

    /// <summary>Computes dw.</summary>
    public static void Run(in ConvolutionProblem problem, float* x, float* dy, float* dw, CpuThreads threads, CpuScratch scratch)
    {
        var count = (long)problem.K * Depth(problem);
        if (problem.N == 0)
        {
            new Span<float>(dw, (int)count).Clear();
            return;
        }

        using var tapRoom = scratch.Rent(TapList.Floats(Depth(problem)));
        var gradient = new WeightGradient(problem, scratch, tapRoom, new ImagePlanes(problem));
        gradient.Run(x, dy, dw, count, threads);
    }

    private static int Depth(in ConvolutionProblem problem) => problem.C / problem.Groups * problem.R * problem.S;

    private void Run(float* x, float* dy, float* dw, long count, CpuThreads threads)
    {
        using var lease = scratch.Rent(count * chunks);
        var partial = lease.Pointer;
        // Filters are split between threads too where chunks and groups are few.
        var tiles = (filters + DotKernels.Rows - 1) / DotKernels.Rows;
        var blocks = threads.Count == 1 ? 1 : Math.Clamp(4 * threads.Count / (chunks * problem.Groups), 1, tiles);
        var perBlock = (tiles + blocks - 1) / blocks * DotKernels.Rows;
        blocks = (filters + perBlock - 1) / perBlock;
        threads.For((long)chunks * problem.Groups * blocks, 1, (first, last) =>
        {
            using var image = RentPlanes();
            using var spread = scratch.Rent((long)batch * perBlock * length);
            for (var item = first; item < last; item++)
            {
                var block = (int)(item % blocks);
                int group = (int)(item / blocks % problem.Groups), chunk = (int)(item / blocks / problem.Groups);
                RunChunk(chunk, group, block * perBlock, Math.Min(filters, (block + 1) * perBlock), x, dy, partial + chunk * count, image, spread);
            }
        });
        threads.For(count, 16384, (first, last) =>
        {
            for (var i = first; i < last; i++)
            {
                var sum = partial[i];
                for (var chunk = 1; chunk < chunks; chunk++) sum += partial[chunk * count + i];
                dw[i] = sum;
            }
        });
    }

    /// <summary>The sum over a chunk of images for some filters of a group.</summary>
    private void RunChunk(int chunk, int group, int firstFilter, int lastFilter, float* x, float* dy, float* partial, float* image, float* spread)
    {
        var target = partial + (nint)(group * filters + firstFilter) * depth;
        new Span<float>(target, (lastFilter - firstFilter) * depth).Clear();
        int firstImage = (int)((long)problem.N * chunk / chunks), lastImage = (int)((long)problem.N * (chunk + 1) / chunks);
        for (var n = firstImage; n < lastImage; n += batch)
        {
            var images = Math.Min(batch, lastImage - n);
            for (var i = 0; i < images; i++)
            {
                FillImage(x + (nint)(n + i) * problem.C * problem.H * problem.W, group, image + (nint)i * channels * planes.Length);
                Spread(dy + (nint)((n + i) * problem.K + group * filters + firstFilter) * problem.P * problem.Q, lastFilter - firstFilter, spread + (nint)i * (lastFilter - firstFilter) * length);
            }

            AddProducts(images, lastFilter - firstFilter, spread, image, target);
        }
    }

    private void FillImage(float* x, int group, float* image)
    {
        for (var c = 0; c < channels; c++)
            planes.Fill(x + (nint)(group * channels + c) * problem.H * problem.W, image + (nint)c * planes.Length);
    }

    /// <summary>Rows of dy at the pitch of the planes, zero between and after.</summary>
    private void Spread(float* dy, int rows, float* spread)
    {
        int p = problem.P, q = problem.Q;
        for (var k = 0; k < rows; k++)
        {
            var row = spread + (nint)k * length;
            for (var i = 0; i < p; i++)
            {
                var end = i == p - 1 ? length : (i + 1) * planes.Pitch;
                CpuCopy.Row(dy + ((nint)k * p + i) * q, row + i * planes.Pitch, q);
                for (var j = i * planes.Pitch + q; j < end; j++) row[j] = 0f;
            }
        }
    }

    private void AddProducts(int images, int rows, float* spread, float* image, float* target)
    {
        for (var tap = 0; tap < depth; tap += DotTile.MostTaps)
        {
            var width = Math.Min(DotTile.MostTaps, depth - tap);
            for (var k = 0; k < rows; k += DotKernels.Rows)
            {
                var kernel = DotKernels.Tile(Math.Min(DotKernels.Rows, rows - k), width);
                kernel(
                    images, length, spread + (nint)k * length, length, (nint)rows * length, image, (nint)channels * planes.Length, taps + tap,
                    target + (nint)k * depth + tap, depth);
            }
        }
    }

    /// <summary>
    /// Room for the planes of a batch. Tiles read past the outputs, also past the last image of a batch that is not full, and
    /// multiply by zero: nothing there may be infinite or not a number, so all of it is set.
    /// </summary>
    private CpuScratch.Lease RentPlanes()
    {
        var count = (long)batch * channels * planes.Length + TapKernels.Slack;
        var lease = scratch.Rent(count);
        new Span<float>(lease.Pointer, checked((int)count)).Clear();
        return lease;
    }
}
