namespace CnnNative.Engines.Cpu;

/// <summary>One <see cref="TapConvolution"/> with its operands.</summary>
/// <param name="Shape">Filters, taps and output.</param>
/// <param name="Filters">Filters of the first group.</param>
/// <param name="FilterGroup">Distance of the filters of groups.</param>
/// <param name="TapsAddress">Where the distances of the taps are.</param>
/// <param name="FirstInput">Place of the first output in the planes.</param>
/// <param name="FirstOutput">Place of the first output in y.</param>
internal readonly unsafe record struct TapJob(
    TapConvolution Shape, GemmRows Filters, nint FilterGroup, nint TapsAddress, nint FirstInput, nint FirstOutput)
{
    /// <summary>Distances of the taps.</summary>
    public nint* Taps => (nint*)TapsAddress;
}

/// <summary>
/// Runs the jobs of a pass over all images and groups: each image is written into <see cref="ImagePlanes"/> once and read
/// by all jobs. With many images every thread takes images of its own, whose planes stay in its cache; with few, the
/// threads share the planes of one image and divide its outputs and filters.
/// </summary>
internal sealed unsafe class TapPass(CpuThreads threads, CpuScratch scratch)
{
    /// <summary>Multiply-adds worth a range of its own.</summary>
    private const long Grain = 1 << 17;

    /// <summary>Number of images.</summary>
    public required int Images { get; init; }

    /// <summary>Number of groups.</summary>
    public required int Groups { get; init; }

    /// <summary>Channels in a group of x.</summary>
    public required int Channels { get; init; }

    /// <summary>Floats of a channel of x.</summary>
    public required nint ChannelLength { get; init; }

    /// <summary>Floats of an image and group of y.</summary>
    public required nint OutputLength { get; init; }

    /// <summary>Where the pixels of x go.</summary>
    public required ImagePlanes Planes { get; init; }

    /// <summary>What is computed of each image and group.</summary>
    public required TapJob[] Jobs { get; init; }

    /// <summary>Computes y.</summary>
    public void Run(float* x, float* y, Epilogue epilogue)
    {
        var work = Jobs.Sum(job => (long)job.Shape.Filters * job.Shape.Depth * job.Shape.Output.Rows * job.Shape.Output.Columns);
        if (threads.Count == 1 || (long)Images * Groups >= 2 * threads.Count || Images * Groups * work < 2 * Grain)
        {
            threads.For((long)Images * Groups, Math.Max(1, Grain / Math.Max(1, work)), (first, last) => RunImages(first, last, x, y, epilogue));
            return;
        }

        for (var item = 0; item < Images * Groups; item++) RunShared(item, x, y, epilogue);
    }

    private void RunImages(long first, long last, float* x, float* y, in Epilogue epilogue)
    {
        using var planes = RentPlanes(1);
        for (var item = first; item < last; item++)
        {
            for (var c = 0; c < Channels; c++) FillChannel(x, item, c, planes);
            foreach (var job in Jobs) RunArea(job, new GemmArea(0, job.Shape.Filters, 0, job.Shape.Tiles), item, planes, y, epilogue);
        }
    }

    private void RunShared(long item, float* x, float* y, Epilogue epilogue)
    {
        using var lease = RentPlanes(1);
        var planes = lease.Pointer;
        threads.For(Channels, Math.Max(1, 16384 / Planes.Length), (first, last) =>
        {
            for (var c = (int)first; c < last; c++) FillChannel(x, item, c, planes);
        });
        foreach (var job in Jobs)
        {
            var shape = job.Shape;
            // Tiles stand for panels of columns: the split only counts them.
            var split = GemmSplit.Choose(shape.Filters, shape.Tiles * GemmKernels.Columns, shape.Depth, products: 1, threads.Count);
            threads.Run(split.Blocks, block =>
            {
                var area = split.Area(block);
                RunArea(job, area with { FirstColumn = area.FirstColumn / GemmKernels.Columns, LastColumn = area.LastColumn / GemmKernels.Columns }, item, planes, y, epilogue);
            });
        }
    }

    private void RunArea(in TapJob job, GemmArea area, long item, float* planes, float* y, in Epilogue epilogue)
    {
        var group = (int)(item % Groups);
        job.Shape.Run(
            area, job.Filters.Shift(group * job.FilterGroup), planes + job.FirstInput, job.Taps,
            y + item * OutputLength + job.FirstOutput, epilogue.AtRow(group * job.Shape.Filters), scratch);
    }

    private void FillChannel(float* x, long item, int channel, float* planes) =>
        Planes.Fill(x + (item * Channels + channel) * ChannelLength, planes + (nint)channel * Planes.Length);

    /// <summary>Room for the planes of an image and group; what tiles read past the end is zero, so that no odd number slows them down.</summary>
    private CpuScratch.Lease RentPlanes(int images)
    {
        var length = (nint)images * Channels * Planes.Length;
        var lease = scratch.Rent(length + TapKernels.Slack);
        new Span<float>(lease.Pointer + length, TapKernels.Slack).Clear();
        return lease;
    }
}
