using System.Runtime.InteropServices;

namespace CnnNative.Interop;

/// <summary>What a kernel did over its launches, as the emulated driver counts it (cnnEmulatorCounters): threads are counted, not warps, unless said.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct KernelCounters
{
    /// <summary>Launches, and what they consisted of.</summary>
    public readonly ulong Launches, Blocks, Warps, Threads;

    /// <summary>PTX instructions by class, executed by threads.</summary>
    public readonly ulong Integer, Floating, Half, Conversion, Move, Control, GlobalLoad, GlobalStore, SharedLoad, SharedStore, OtherMemory, Atomic, Warp, Barrier,
        Tensor, Async, Special;

    /// <summary>PTX instructions that warps issued.</summary>
    public readonly ulong WarpInstructions;

    /// <summary>Floating-point operations, a multiply-add counted as two.</summary>
    public readonly ulong Flops;

    /// <summary>Barriers of blocks; branches of warps, and those at which lanes parted.</summary>
    public readonly ulong Barriers, Branches, DivergentBranches;

    /// <summary>Loads from global memory: by warps, the sectors of 32 bytes that each asks for, the bytes that threads read.</summary>
    public readonly ulong GlobalLoadRequests, GlobalLoadSectors, GlobalLoadBytes;

    /// <summary>Stores to global memory, counted likewise.</summary>
    public readonly ulong GlobalStoreRequests, GlobalStoreSectors, GlobalStoreBytes;

    /// <summary>Atomics on global memory, counted likewise.</summary>
    public readonly ulong GlobalAtomicRequests, GlobalAtomicSectors;

    /// <summary>Loads from shared memory: by warps, the turns that the banks take, the bytes that threads read.</summary>
    public readonly ulong SharedLoadRequests, SharedLoadWavefronts, SharedLoadBytes;

    /// <summary>Stores to shared memory, counted likewise.</summary>
    public readonly ulong SharedStoreRequests, SharedStoreWavefronts, SharedStoreBytes;

    /// <summary>The turns that loads and stores would take without conflicts; the most turns of one for one that it needs.</summary>
    public readonly ulong SharedIdealWavefronts, MaxSharedConflict;

    /// <summary>The widest access of a thread, in bytes.</summary>
    public readonly ulong WidestGlobalAccess, WidestSharedAccess;

    /// <summary>
    /// Distinct 32-byte sectors of each block, summed over the blocks: what it must fetch from L2 when L1 keeps what it has fetched, and what it
    /// writes. Only after <see cref="EmulatedCounters.Reset"/> with ofBlocks. Bulk copies pass L1 by and count as often as they ask.
    /// </summary>
    public readonly ulong GlobalLoadBlockSectors, GlobalStoreBlockSectors;
}
