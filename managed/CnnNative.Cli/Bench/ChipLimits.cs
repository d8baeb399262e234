using CnnNative.Interop;

namespace CnnNative.Cli.Bench;

/// <summary>
/// What one chip does at most per second: a kernel's counts divided by these say which of its parts a launch keeps busy longest. No prediction of
/// a time: latencies, occupancy and what NVIDIA's assembler makes of the PTX are not in it.
/// </summary>
/// <param name="Name">The chip.</param>
/// <param name="MemoryBytes">Bytes to and from device memory, of a copy.</param>
/// <param name="CacheBytes">Bytes between the level-2 cache and the multiprocessors.</param>
/// <param name="Multiprocessors">How many there are.</param>
/// <param name="Clock">Their clock, in hertz.</param>
/// <param name="Float32Operations">Floating-point operations outside matrix units.</param>
/// <param name="MatrixOperations">Operations of matrix units on 16 bits; half as many on TF32.</param>
internal sealed record ChipLimits(
    string Name, double MemoryBytes, double CacheBytes, int Multiprocessors, double Clock, double Float32Operations, double MatrixOperations)
{
    /// <summary>A multiprocessor issues one instruction for a warp from each of its four schedulers.</summary>
    private const int Schedulers = 4;

    /// <summary>Its first-level cache and shared memory are one memory, which serves 128 bytes a turn: four sectors, or one row of banks.</summary>
    private const int SectorsPerTurn = 4;

    private const int SectorBytes = 32;

    /// <summary>An H200: 67 TFLOP/s are 132 multiprocessors of 128 lanes at 1.98 GHz; a copy moves 4.3 TB/s, a large product in bf16 reaches 790 TFLOP/s.</summary>
    public static ChipLimits H200 { get; } = new("H200", 4.3e12, 5.5e12, 132, 1.98e9, 67e12, 790e12);

    /// <summary>The least time for a workload, in seconds: its bytes from device memory, its operations.</summary>
    public double Floor(Workload workload) => Math.Max(workload.Bytes / MemoryBytes, workload.Operations / Operations(workload.Arithmetic));

    /// <summary>How long each part of the chip is busy with what a workload's kernels did, in parts of the floor.</summary>
    /// <param name="workload">The workload.</param>
    /// <param name="counted">All of its kernels, blocks' sectors included.</param>
    public BusyParts Busy(Workload workload, in KernelCounters counted)
    {
        var floor = Floor(workload);
        var turns = (double)(counted.GlobalLoadSectors + counted.GlobalStoreSectors) / SectorsPerTurn + counted.SharedLoadWavefronts + counted.SharedStoreWavefronts;
        var arithmetic = counted.Flops / (counted.Tensor > 0 ? Operations(workload.Arithmetic) : Float32Operations);
        return new(
            (counted.GlobalLoadBlockSectors + counted.GlobalStoreBlockSectors) * SectorBytes / CacheBytes / floor, turns / (Multiprocessors * Clock) / floor,
            counted.WarpInstructions / (Schedulers * Multiprocessors * Clock) / floor, arithmetic / floor);
    }

    private double Operations(Arithmetic arithmetic) =>
        arithmetic.IsTf32 ? MatrixOperations / 2 : arithmetic.Type == DType.Float32 ? Float32Operations : MatrixOperations;
}

/// <summary>How long parts of a chip are busy, in parts of the least time that a workload needs.</summary>
/// <param name="Cache">The level-2 cache, with the distinct sectors of each block.</param>
/// <param name="Shared">First-level cache and shared memory, with every request and its conflicts.</param>
/// <param name="Issue">Schedulers, with PTX instructions.</param>
/// <param name="Arithmetic">Floating-point units, or matrix units where a kernel uses them.</param>
internal readonly record struct BusyParts(double Cache, double Shared, double Issue, double Arithmetic)
{
    /// <summary>The part that is busy longest, and how long.</summary>
    public (string Name, double Busy) Bound => new (string Name, double Busy)[] { ("L2", Cache), ("L1", Shared), ("issue", Issue), ("arithmetic", Arithmetic) }.MaxBy(part => part.Busy);
}
