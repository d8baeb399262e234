namespace CnnNative.Interop.Raw;

/// <summary>CUdevice_attribute: those that are asked for.</summary>
internal enum DeviceAttribute
{
    MultiprocessorCount = 16,
    PciBus = 33,
    PciDevice = 34,
    L2CacheSize = 38,
    MaxThreadsPerMultiprocessor = 39,
    PciDomain = 50,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
    MaxSharedMemoryPerBlockOptin = 97,
    MemoryPoolsSupported = 115,
}
