using System.Runtime.InteropServices;
using CnnNative.Interop.Raw;
using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>What a device is and what it has.</summary>
/// <param name="Ordinal">Its number, from 0.</param>
/// <param name="Name">Its name.</param>
/// <param name="ComputeCapability">10 * major + minor: 90 for 9.0.</param>
/// <param name="Multiprocessors">Number of streaming multiprocessors.</param>
/// <param name="MaxSharedBytesPerBlock">Shared memory that a block may ask for, in bytes.</param>
/// <param name="MaxThreadsPerMultiprocessor">Threads that one multiprocessor holds.</param>
/// <param name="TotalBytes">Memory in bytes.</param>
/// <param name="L2Bytes">Level-2 cache in bytes.</param>
/// <param name="SupportsMemoryPools">Whether memory can be allocated in stream order.</param>
/// <param name="PciBus">Where it sits, as domain:bus:device.0 in hexadecimal digits.</param>
public sealed record CudaDeviceInfo(
    int Ordinal, string Name, int ComputeCapability, int Multiprocessors, int MaxSharedBytesPerBlock, int MaxThreadsPerMultiprocessor, long TotalBytes,
    long L2Bytes, bool SupportsMemoryPools, string PciBus)
{
    private const int LongestName = 256;

    internal int Handle { get; private init; }

    internal static unsafe CudaDeviceInfo Read(int ordinal)
    {
        var device = 0;
        RawDriver.cuDeviceGet(&device, ordinal).Check("cuDeviceGet");
        var handle = device;
        var name = stackalloc byte[LongestName];
        RawDriver.cuDeviceGetName(name, LongestName, device).Check("cuDeviceGetName");
        nuint bytes = 0;
        RawDriver.cuDeviceTotalMem_v2(&bytes, device).Check("cuDeviceTotalMem_v2");
        return new(
            ordinal, Marshal.PtrToStringUTF8((nint)name)!,
            10 * Get(DeviceAttribute.ComputeCapabilityMajor) + Get(DeviceAttribute.ComputeCapabilityMinor),
            Get(DeviceAttribute.MultiprocessorCount), Get(DeviceAttribute.MaxSharedMemoryPerBlockOptin),
            Get(DeviceAttribute.MaxThreadsPerMultiprocessor), (long)bytes, Get(DeviceAttribute.L2CacheSize),
            Get(DeviceAttribute.MemoryPoolsSupported) != 0,
            $"{Get(DeviceAttribute.PciDomain):x8}:{Get(DeviceAttribute.PciBus):x2}:{Get(DeviceAttribute.PciDevice):x2}.0")
        {
            Handle = handle,
        };

        int Get(DeviceAttribute attribute) => Attribute(attribute, handle);
    }

    private static unsafe int Attribute(DeviceAttribute attribute, int device)
    {
        var value = 0;
        RawDriver.cuDeviceGetAttribute(&value, attribute, device).Check("cuDeviceGetAttribute");
        return value;
    }
}
