using CnnNative.Interop;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Base of tests that read the counters of the emulated driver.</summary>
public abstract class CounterTests : NativeTests
{
    /// <summary>Bytes that memory moves at once.</summary>
    protected const int Sector = 32;

    [SetUp]
    public void RequireCounters()
    {
        if (!Emulator.IsUsed) Assert.Ignore("a GPU has no such counters");
    }

    /// <summary>Prepares, resets the counters, runs, and reads those of one kernel.</summary>
    protected KernelCounters Run(string kernel, Func<Side, Action> prepare, DType type = DType.Float32)
    {
        using var scope = Device.Inference();
        var action = prepare(new Side(Device, type));
        Cuda.Synchronize();
        EmulatedCounters.Reset();
        action();
        Cuda.Synchronize();
        return EmulatedCounters.Of(kernel);
    }

    protected static void AssertTraffic(KernelCounters counters, long read, long written, double excess, long slack = 0)
    {
        Assert.That(counters.GlobalLoadSectors * Sector, Is.InRange((ulong)read, (ulong)(read * excess) + (ulong)slack), "bytes read");
        Assert.That(counters.GlobalStoreSectors * Sector, Is.InRange((ulong)written, (ulong)(written * excess) + (ulong)slack), "bytes written");
    }

    /// <summary>Loads of all threads from global memory, asynchronous copies among them, which each thread commits and awaits once.</summary>
    protected static long Loads(KernelCounters counters) =>
        (long)(counters.GlobalLoad + (counters.Async == 0 ? 0 : counters.Async - 2 * counters.Threads));

    protected static string Suffix(DType type) => type switch { DType.Float32 => "_f32", DType.BFloat16 => "_bf16", _ => "_f16" };

    /// <summary>Asserts that what the blocks of one kernel fetch and write, each sector once per block, is at most 1.15 times the least.</summary>
    protected static void AssertNearFloor(string kernel, long floor)
    {
        var counters = EmulatedCounters.Of(kernel);
        var moved = (counters.GlobalLoadBlockSectors + counters.GlobalStoreBlockSectors) * Sector;
        Assert.That(moved, Is.InRange((ulong)floor, (ulong)(1.15 * floor)), $"{kernel}: {(double)moved / floor:F3} of the floor");
    }
}
