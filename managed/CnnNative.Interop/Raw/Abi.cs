using System.Runtime.InteropServices;

namespace CnnNative.Interop.Raw;

/// <summary>CUmemPoolProps: pinned memory of one device, 88 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 88)]
internal struct MemPoolProps
{
    public int AllocationType;
    public int HandleTypes;
    public int LocationType;
    public int LocationId;

    public const int Pinned = 1, OnDevice = 1;
}

/// <summary>CUlaunchConfig.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LaunchConfig
{
    public uint GridX, GridY, GridZ, BlockX, BlockY, BlockZ, SharedBytes;
    public nint Stream;
    public LaunchAttribute* Attributes;
    public uint AttributeCount;
}

/// <summary>CUlaunchAttribute: an identifier and a value of 64 bytes, here a cluster's size.</summary>
[StructLayout(LayoutKind.Sequential, Size = 72)]
internal struct LaunchAttribute
{
    public const int ClusterDimension = 4;

    public int Id;
    private readonly int padding;
    public uint X, Y, Z;
}

/// <summary>CUjit_option: those that are used.</summary>
internal enum JitOption
{
    InfoLogBuffer = 3,
    InfoLogBufferSizeBytes = 4,
    ErrorLogBuffer = 5,
    ErrorLogBufferSizeBytes = 6,
    LogVerbose = 12,
}

/// <summary>Constants of the driver's flags.</summary>
internal static class Flags
{
    public const uint StreamNonBlocking = 1, EventDisableTiming = 2, EventDefault = 0, CaptureRelaxed = 2;
    public const int MaxDynamicSharedBytes = 8, FunctionRegisters = 4, FunctionSharedBytes = 1, FunctionLocalBytes = 3;
    public const int PoolReleaseThreshold = 4;
}
