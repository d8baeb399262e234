using System.Runtime.InteropServices;
using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>The CUDA driver of this process: found and initialised at first use.</summary>
public static unsafe class CudaDriver
{
    private static readonly Lazy<LibrarySearch> Loaded = new(() => RawDriver.Bind(LibraryFinder.Find(CudaLibrary.Driver)));
    private static readonly Lazy<CudaStatus> Initialised = new(() => RawDriver.cuInit(0));

    /// <summary>Where the driver was looked for. Loads it, if it is there, but does not start it.</summary>
    public static LibrarySearch Search => Loaded.Value;

    /// <summary>Whether the driver is the emulator of this project and not NVIDIA's.</summary>
    public static bool IsEmulated => Search.Found && NativeLibrary.TryGetExport(Search.Handle, "cnnEmulatorCallCount", out _);

    /// <summary>The CUDA version that the driver knows, as 1000 * major + 10 * minor: 12080 for 12.8.</summary>
    /// <exception cref="LibraryNotFoundException">There is no driver.</exception>
    public static int Version
    {
        get
        {
            if (!Search.Found) throw new LibraryNotFoundException(Search);
            var version = 0;
            RawDriver.cuDriverGetVersion(&version).Check("cuDriverGetVersion");
            return version;
        }
    }

    /// <summary>Number of devices; 0 where the driver finds none.</summary>
    /// <exception cref="LibraryNotFoundException">There is no driver.</exception>
    /// <exception cref="DriverTooOldException">It lacks functions that are called here.</exception>
    /// <exception cref="CudaException">The driver could not start.</exception>
    public static int DeviceCount
    {
        get
        {
            if (CudaRelease.Oldest.Obstacle(Version, "this library") is { } obstacle) throw new DriverTooOldException(obstacle);
            if (Initialised.Value == CudaStatus.NoDevice) return 0;
            Initialised.Value.Check("cuInit");
            var count = 0;
            RawDriver.cuDeviceGetCount(&count).Check("cuDeviceGetCount");
            return count;
        }
    }

    /// <summary>The device of an ordinal number.</summary>
    /// <param name="ordinal">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such device.</exception>
    public static CudaDeviceInfo Device(int ordinal)
    {
        var count = DeviceCount;
        if (ordinal < 0 || ordinal >= count)
            throw new ArgumentOutOfRangeException(nameof(ordinal), ordinal, $"CudaDriver.Device: there {(count == 1 ? "is one device" : $"are {count} devices")}, counted from 0");
        return CudaDeviceInfo.Read(ordinal);
    }
}
